"""What pods tell of their answers: how many failed, and how long those took that did not.

A report (`/metrics/answers` of a pod) may be anything: what is not one, or tells of another model
or version, counts as unreadable. 4xx are the clients', and count as nothing. Where pods hand a
share of their requests over, or copy some, the report tells of these beside their own answers.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from pennant_operator.decide.seen.mirror import (
    MAX_COUNT,
    Mirrored,
    mirrored_of,
    mirrored_together,
)

REPORT_FORMAT = 1
MAX_BUCKETS = 200  # of a report's durations; the server's own have 62
DIFFERENCES_CHARACTERS_LIMIT = 700  # of what a pod says of its environment; an Event takes 1024


class UnreadableReportError(ValueError):
    """What a pod answers is no report of this version; says why."""


@dataclass(frozen=True)
class AnswerCounts:
    """What was answered within some seconds, by one pod or by several."""

    succeeded: int = 0
    failed: int = 0  # 5xx
    bounds: tuple[float, ...] = ()  # seconds, rising
    durations: tuple[int, ...] = ()  # of what succeeded: one for each bound, one beyond the last
    differences: str = ""  # what the bundle asks for, and the pods have otherwise
    handed_over: "AnswerCounts | None" = None  # how the candidate answered what it was handed
    mirrored: Mirrored | None = None

    @property
    def tally(self) -> "Tally":
        """What is decided by."""
        return Tally(self.succeeded + self.failed, self.failed, self.median)

    @property
    def median(self) -> float | None:
        """Seconds that half of what succeeded took at most; None: nothing did."""
        half = sum(self.durations) / 2
        if not half:
            return None
        edges = (0.0, *self.bounds, self.bounds[-1])
        below = 0
        for number, count in enumerate(self.durations):
            if below + count >= half:
                low, high = edges[number], edges[number + 1]
                return low + (high - low) * (half - below) / count
            below += count
        return self.bounds[-1]


@dataclass(frozen=True)
class Tally:
    """Answers as `status.answers` has them."""

    requests: int = 0  # answered, 4xx left out
    errors: int = 0
    median: float | None = None  # seconds

    @property
    def share(self) -> float:
        """Of errors."""
        return self.errors / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class ReportQuestion:
    """Whom to ask for a report, and of how long ago."""

    about: str  # tells this question from an earlier one
    model: str
    version: str
    seconds: int
    addresses: tuple[str, ...]  # host:port
    beside: "ReportQuestion | None" = None  # of the same seconds, to another version's pods
    candidate: str = ""  # the revision that they hand requests over to


@dataclass(frozen=True)
class Reports:
    """What came back, of all the pods that were asked."""

    about: str
    answers: AnswerCounts = AnswerCounts()
    read: int = 0  # pods that told
    unread: str = ""  # why one did not
    beside: "Reports | None" = None  # what came back of the others


def answers_of(report: Any, model: str, version: str, candidate: str = "") -> AnswerCounts:
    """The answers that a report tells of; raises UnreadableReportError.

    What was handed over to another revision than `candidate` is left out.
    """
    if not isinstance(report, dict) or report.get("format") != REPORT_FORMAT:
        raise UnreadableReportError(f"answers with no report of format {REPORT_FORMAT}")
    if (report.get("model"), report.get("version")) != (model, version):
        raise UnreadableReportError(f"answers as another model or version than {model} {version}")
    handed, known = report.get("handedOver"), None
    if candidate and isinstance(handed, dict) and handed.get("revision") == candidate:
        known = _counted(handed)
    return replace(_counted(report), handed_over=known, mirrored=mirrored_of(report.get("mirror")))


def _counted(report: dict[str, Any]) -> AnswerCounts:
    counts, durations = report.get("answers"), report.get("durations")
    if not isinstance(counts, dict) or not isinstance(durations, dict):
        raise UnreadableReportError("answers with a report that lacks answers or durations")
    bounds = _bounds(durations.get("bounds"))
    outcomes = _counts([counts.get(outcome) for outcome in ("2xx", "5xx")])
    buckets = _counts(durations.get("counts"))
    if len(outcomes) != 2 or not bounds or len(buckets) != len(bounds) + 1:
        raise UnreadableReportError("answers with a report whose numbers make no sense")
    return AnswerCounts(outcomes[0], outcomes[1], bounds, buckets, _text(report.get("differences")))


def together(reports: list[AnswerCounts]) -> AnswerCounts:
    """The answers of several pods; raises UnreadableReportError where they count differently."""
    if len({each.bounds for each in reports}) != 1:
        raise UnreadableReportError("count durations in different ways")
    columns = zip(*(each.durations for each in reports), strict=True)
    handed = [each.handed_over for each in reports if each.handed_over is not None]
    return AnswerCounts(
        sum(each.succeeded for each in reports),
        sum(each.failed for each in reports),
        reports[0].bounds,
        tuple(sum(column) for column in columns),
        next((each.differences for each in reports if each.differences), ""),
        together(handed) if handed else None,
        mirrored_together([each.mirrored for each in reports if each.mirrored is not None]),
    )


def _text(value: Any) -> str:
    """Empty where it is none, or could spoil what is printed."""
    known = isinstance(value, str) and value.isprintable()
    return value[:DIFFERENCES_CHARACTERS_LIMIT] if known else ""


def _counts(values: Any) -> tuple[int, ...]:
    """Empty where they are none."""
    known = isinstance(values, list) and all(
        type(value) is int and 0 <= value <= MAX_COUNT for value in values
    )
    return tuple(values) if known else ()


def _bounds(values: Any) -> tuple[float, ...]:
    """Empty where they are none."""
    if not isinstance(values, list) or len(values) > MAX_BUCKETS:
        return ()
    numbers = all(type(value) in {int, float} and 0 < value < MAX_COUNT for value in values)
    rising = numbers and all(low < high for low, high in pairwise(values))
    return tuple(map(float, values)) if rising else ()
