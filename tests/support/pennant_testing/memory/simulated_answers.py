"""What pods of a simulated cluster report of their answers."""

from __future__ import annotations

from dataclasses import replace

from pennant_operator.decide.seen.answers import AnswerCounts, ReportQuestion, Reports
from pennant_testing.memory.cluster_state import ClusterState


def answered(requests: int, *, errors: int = 0, median: float = 0.02) -> AnswerCounts:
    """So many answers, of which some were 5xx; the others took this many seconds."""
    good = requests - errors
    return AnswerCounts(good, errors, (median * 0.99, median * 1.01), (0, good, 0))


# How a version may answer, by name.
ANSWERED: dict[str, AnswerCounts | str] = {
    "well": answered(100),
    "badly": answered(60, errors=40),
    "slowly": answered(60, median=2.0),
    "seldom": answered(3, errors=3),
    "nothing that can be read": "pods do not answer within 1 s",
}


class SimulatedAnswers(ClusterState):
    """What is asked of pods is answered at once."""

    def reported(self, question: ReportQuestion | None) -> Reports | None:
        """By what `answers` has for the version: counts, or why its pods cannot be asked."""
        if question is None:
            return None
        what = self.answers.get(question.version, AnswerCounts())
        if isinstance(what, str):
            return Reports(question.about, unread=what)
        shared, beside = self._shared(what, question), self.reported(question.beside)
        return Reports(question.about, shared, len(question.addresses), beside=beside)

    def _shared(self, own: AnswerCounts, question: ReportQuestion) -> AnswerCounts:
        """What pods with traffic handed over came back as the candidate answers."""
        handed = self.answers.get(self.versions.get(question.candidate, ""))
        handed = handed if isinstance(handed, AnswerCounts) else None
        return replace(own, handed_over=handed, mirrored=self.mirrored)
