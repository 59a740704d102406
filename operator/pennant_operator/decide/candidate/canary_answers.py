"""How a candidate answers its share, held against what serves beside it on the same traffic.

The pods that have the traffic are asked: they hand requests over, and what of it came back well,
and how fast, they count beside their own answers, over the same seconds.
"""

from dataclasses import replace
from typing import Any

from pennant_operator.decide.candidate.answers import (
    BASELINE_REQUESTS_MINIMUM,
    WINDOW_SECONDS,
    answer_to,
    entry_of,
    fails_more,
    has_doubled,
    is_slower,
    median_text,
    question_to_serving,
    tally_of,
)
from pennant_operator.decide.candidate.canary import is_canary, known_canary, weight_since
from pennant_operator.decide.seen.answers import AnswerCounts, ReportQuestion, Reports, Tally
from pennant_operator.decide.step import Step
from pennant_operator.decide.verdict import Rejected
from pennant_operator.decide.vocabulary import Reason

# longer than what serves, at least, to be slower: where processors are short the way there and
# back takes tens of milliseconds
CANARY_SLOWER_BY_SECONDS = 0.050
READ_FIELDS = {"candidate", "serving", "unread"}  # of `status.canary`


def question_in_canary(step: Step) -> ReportQuestion | None:
    """About all that was answered since the weight is in force, or in the last five minutes."""
    traffic, target, entry = step.world.traffic, step.goal.target, known_canary(step)
    since = weight_since(entry)
    if traffic is None or target is None or since is None or not step.world.spec.answers.check:
        return None
    seconds = int((step.now - since).total_seconds())
    if seconds < 1 or not is_canary(step):
        return None
    about = f"{target} beside {traffic.revision} since {entry['since']}"
    question = question_to_serving(step, traffic, about, min(seconds, WINDOW_SECONDS))
    return question and replace(question, candidate=target)


def verdict_in_canary(step: Step) -> Rejected | None:
    """The rejection of a candidate that answers its share badly; None: well, or nobody knows."""
    reports = _reports(step)
    if reports is None or step.world.traffic is None:
        return None
    limits, now, beside = step.world.spec.answers, _handed_over(reports).tally, _beside(reports)
    who = f"version {step.version_of(step.world.traffic.revision)} on the same traffic"
    if fails_more(now, beside, limits):
        failed = f"{now.errors} of {now.requests} requests handed over to it came to nothing"
        compared = f"{failed}; {beside.errors} of {beside.requests} answers of {who} were errors"
        return Rejected(Reason.ERRORS_IN_CANARY, compared)
    if is_slower(now, beside, limits, by=CANARY_SLOWER_BY_SECONDS):
        took = f"half of {now.requests} requests handed over to it took {median_text(now)} or more"
        compared = f"half of {beside.requests} answers of {who} took {median_text(beside)}"
        return Rejected(Reason.SLOW_IN_CANARY, f"{took}; {compared}")
    return None


def is_judged_well(step: Step) -> bool:
    """Whether enough of its answers are known, and are good."""
    if not step.world.spec.answers.check:
        return True
    reports = _reports(step)
    if reports is None or verdict_in_canary(step) is not None:
        return False
    return _handed_over(reports).tally.requests >= step.world.spec.answers.requests


def with_reading(step: Step, entry: dict[str, Any], *, at_last: bool = False) -> dict[str, Any]:
    """The entry with what was read; numbers that have not doubled stay, but for the last ones."""
    question = question_in_canary(step)
    reports = answer_to(step, question) if question else None
    if reports is None:
        return entry
    if not reports.read:
        return {**entry, "unread": entry.get("unread") or reports.unread}
    others = {name: value for name, value in entry.items() if name != "unread"}
    tallies = {"candidate": _handed_over(reports).tally, "serving": reports.answers.tally}
    known = {name: tally_of(entry.get(name)) for name in tallies}
    doubled = any(has_doubled(known[name], tally) for name, tally in tallies.items())
    if not at_last and not doubled and "candidate" in entry:
        return others
    return {**others, **{name: entry_of(tally) for name, tally in tallies.items()}}


def _reports(step: Step) -> Reports | None:
    question = question_in_canary(step)
    reports = answer_to(step, question) if question else None
    return reports if reports is not None and reports.read else None


def _handed_over(reports: Reports) -> AnswerCounts:
    return reports.answers.handed_over or AnswerCounts()


def _beside(reports: Reports) -> Tally:
    own = reports.answers.tally
    return own if own.requests >= BASELINE_REQUESTS_MINIMUM else Tally()
