"""How what bakes answers, held against what served before it: enough to go back, or to warn.

Before the traffic moves the pods that have it are asked how they answered in the last minute: the
baseline, recorded in `status.answers` before the move. In the bake the pods with traffic are asked
how they answered since. Each decision is made of one reading of them, never of what a status says
was read: a pod that begins its counts anew delays a decision, and makes none.
"""

from dataclasses import replace
from typing import Any

from pennant_operator.decide.candidate.canary import gets_all_next
from pennant_operator.decide.seen.answers import ReportQuestion, Reports, Tally
from pennant_operator.decide.seen.slot import Slot
from pennant_operator.decide.seen.spec import AnswerLimits
from pennant_operator.decide.seen.traffic import Traffic
from pennant_operator.decide.step import Step
from pennant_operator.decide.times import format_time, parse_time
from pennant_operator.decide.verdict import Passed, Rejected
from pennant_operator.decide.vocabulary import Reason

BASELINE_SECONDS = 60  # before the traffic moves, whose answers a new version is held against
WINDOW_SECONDS = 300  # of a bake or a step, the last ones: a pod remembers no more
# before the move, asked for with a new version: pods count by seconds
FIRST_ANSWERS_SECONDS = 3
MAX_ASKED_PODS = 20  # of those with traffic, always the same: their answers stand for all
BASELINE_REQUESTS_MINIMUM = 5  # answers of a baseline; fewer say nothing of how it was before
# more than before, at least, to be slower: of less than that a multiple is noise
SLOWER_BY_SECONDS = 0.010
# after the move, before slowness is judged: pods are cold, and everybody connects anew
WARM_UP_SECONDS = 5


def question_before_move(step: Step) -> ReportQuestion | None:
    """What must be asked and recorded before the traffic moves; None: nothing, or it was."""
    traffic, target = step.world.traffic, step.goal.target
    if traffic is None or target is None or not isinstance(step.verdict, Passed):
        return None
    if not gets_all_next(step) or step.world.on_both:
        return None
    recorded = step.memory.answers.get("revision") == target
    if recorded or step.goal.back or not judges(step, target):
        return None
    about = f"{traffic.revision} before {target}"
    return question_to_serving(step, traffic, about, BASELINE_SECONDS)


def is_judged(step: Step, traffic: Traffic | None) -> bool:
    """Whether what has this traffic is in its bake, and is judged by its answers.

    It bakes beside what went before, or is the first: then `status.answers` is of it.
    """
    spec, now = step.world.spec, step.now
    if traffic is None or not spec.replicas or now >= traffic.bakes_until(spec.bake):
        return False
    if not judges(step, traffic.revision):
        return False
    if step.memory.answers.get("revision") == traffic.revision:
        return True
    beside = traffic.warm is not None and traffic.warm == _other(step, traffic).revision
    first = traffic.warm is None and not _other_served(step, traffic.revision)
    return (first or beside) and bool(_addresses(step.world.slots[traffic.slot]))


def verdict_by_answers(step: Step) -> Rejected | None:
    """The rejection of what has the traffic; None: it answers well, or too little is known."""
    question = question_in_bake(step)
    if question is None or step.world.traffic is None:
        return None
    reports = answer_to(step, question)
    if reports is None or not reports.read:
        return None
    traffic = step.world.traffic
    before, warm = _baseline(step, traffic), traffic.warm
    who = f"version {step.version_of(warm)}" if warm else "what served before"
    return verdict_of(reports.answers.tally, before, step.world.spec.answers, who, "before it")


def _baseline(step: Step, traffic: Traffic) -> Tally:
    """What its answers are held against; without a median nothing is slow."""
    entry = step.memory.answers
    before = tally_of(entry.get("baseline") if entry.get("revision") == traffic.revision else None)
    if before.requests < BASELINE_REQUESTS_MINIMUM:
        return Tally()
    is_cold = (step.now - traffic.since).total_seconds() < WARM_UP_SECONDS
    # Who goes back flees from what it would be held against.
    if is_cold or _served_well_before(step, traffic):
        return replace(before, median=None)
    return before


def answers_entry(step: Step, traffic: Traffic | None) -> dict[str, Any] | None:
    """The next `status.answers`; the very same while it says what is so."""
    entry, target = step.memory.answers, step.goal.target
    if not step.world.spec.answers.check or traffic is None:
        return None
    if target is not None and target != traffic.revision:
        if entry.get("revision") == target and isinstance(step.verdict, Passed):
            return entry  # the traffic moves next
        if (question := question_before_move(step)) and (seen := answer_to(step, question)):
            return {"revision": target, **reading("baseline", {}, seen)}
    if not is_judged(step, traffic):
        return None
    if entry.get("revision") != traffic.revision:
        entry = {"revision": traffic.revision}
    question = question_in_bake(step)
    reports = answer_to(step, question) if question else None
    if reports is None or traffic != step.world.traffic:
        return entry
    bad = verdict_by_answers(step)
    alarm = {"reason": str(bad.reason), "message": bad.message} if bad else {}
    # What was said stays said: a few good answers do not end a bad bake.
    differences = entry.get("differences") or reports.answers.differences
    optional = {"differences": differences} if differences else {}
    return {**alarm, **optional, **reading("serving", entry, reports)}


def question_in_bake(step: Step) -> ReportQuestion | None:
    """About all that was answered since the traffic moved.

    What served before and got it back is asked for no second that began before that; a new one is
    asked for a little more, so that its very first answers count.
    """
    traffic = step.world.traffic
    if traffic is None or not is_judged(step, traffic):
        return None
    if any(entry["revision"] == traffic.revision for entry in step.rejected):
        return None
    served = [e for e in step.memory.history if e["revision"] == traffic.revision]
    returned = any(parse_time(entry["time"]) != traffic.since for entry in served)
    seconds = int((step.now - traffic.since).total_seconds())
    seconds += -1 if returned else FIRST_ANSWERS_SECONDS
    if seconds < 1:
        return None
    about = f"{traffic.revision} since {format_time(traffic.since)}"
    return question_to_serving(step, traffic, about, min(seconds, WINDOW_SECONDS))


def question_to_serving(
    step: Step, traffic: Traffic, about: str, seconds: int
) -> ReportQuestion | None:
    """To the pods that have this traffic; None where they cannot be asked."""
    return question_about(step, traffic.revision, step.world.slots[traffic.slot], about, seconds)


def question_about(
    step: Step, revision: str, slot: Slot, about: str, seconds: int
) -> ReportQuestion | None:
    """To the pods of this slot, which hold this revision; None where they cannot be asked."""
    record, addresses = step.records.get(revision), _addresses(slot)
    if record is None or not record.is_our_server or not addresses:
        return None
    return ReportQuestion(about, record.model, record.version, seconds, addresses)


def judges(step: Step, revision: str) -> bool:
    """Whether bakes are judged; a server of the user's own has no report."""
    spec, record = step.world.spec, step.records.get(revision)
    return spec.answers.check and bool(spec.bake) and record is not None and record.is_our_server


def _other_served(step: Step, revision: str) -> bool:
    served = (entry for entry in step.memory.history if entry["result"] == "Serving")
    return any(entry["revision"] != revision for entry in served)


def _other(step: Step, traffic: Traffic) -> Slot:
    return next(slot for slot in step.world.slots.values() if slot.name != traffic.slot)


def _served_well_before(step: Step, traffic: Traffic) -> bool:
    """Whether it had the traffic before this time, and was not rejected since."""
    entries = (e for e in step.memory.history if e["revision"] == traffic.revision)
    earlier = next((e for e in entries if parse_time(e["time"]) != traffic.since), {})
    return earlier.get("result") == "Serving"


def _addresses(slot: Slot) -> tuple[str, ...]:
    pods = sorted(slot.running, key=lambda pod: (pod.created, pod.name))
    return tuple(pod.address for pod in pods if pod.ready and pod.address)[:MAX_ASKED_PODS]


def answer_to(step: Step, question: ReportQuestion) -> Reports | None:
    """What came back; None: nothing yet."""
    reports = step.observed.reports
    return reports if reports is not None and reports.about == question.about else None


def verdict_of(
    now: Tally, before: Tally, limits: AnswerLimits, who: str, when: str
) -> Rejected | None:
    """The rejection of what answers so, held against what somebody else answered."""
    if fails_more(now, before, limits):
        failed = (
            f"{now.errors} of {now.requests} answers were errors (5xx) since it has the traffic"
        )
        compared = f"of {who}, {when}, {before.errors} of {before.requests} were"
        unknown = f"of {who} no answers are known"
        return Rejected(
            Reason.ERRORS_IN_BAKE, f"{failed}; {compared if before.requests else unknown}"
        )
    if is_slower(now, before, limits):
        took = f"half of its {now.requests} answers took {median_text(now)} or longer"
        compared = f"half of {before.requests} of {who}, {when}, {median_text(before)}"
        return Rejected(Reason.SLOW_IN_BAKE, f"{took}; {compared}")
    return None


def fails_more(now: Tally, other: Tally, limits: AnswerLimits) -> bool:
    """Whether too many are errors, and twice as many as of the other."""
    if now.requests < limits.requests or not now.errors:
        return False
    return now.share >= limits.errors and now.share >= 2 * other.share


def is_slower(
    now: Tally, other: Tally, limits: AnswerLimits, *, by: float = SLOWER_BY_SECONDS
) -> bool:
    """Whether it takes much longer than the other; what has no median is not compared.

    `by` is how many seconds longer at least.
    """
    if now.requests < limits.requests or now.median is None or other.median is None:
        return False
    much = now.median - other.median >= by
    return much and now.median >= limits.slower * other.median


def reading(name: str, entry: dict[str, Any], reports: Reports) -> dict[str, Any]:
    """The entry with what was read; numbers that have not doubled stay as they are (law 7)."""
    if not reports.read:
        return {**entry, "unread": entry.get("unread") or reports.unread}
    others = {key: value for key, value in entry.items() if key != "unread"}
    new = reports.answers.tally
    if name in entry and not has_doubled(tally_of(entry[name]), new):
        return others
    return {**others, name: entry_of(new)}


def has_doubled(before: Tally, now: Tally) -> bool:
    """What grows with each request is written a few times in a bake, and never goes down."""
    if now.requests < before.requests:
        return False
    more_errors = now.errors > before.errors and now.errors >= 2 * before.errors
    return more_errors or (now.requests > 0 and now.requests >= 2 * before.requests)


def entry_of(tally: Tally) -> dict[str, Any]:
    """As a status has it."""
    entry: dict[str, Any] = {"requests": tally.requests, "errors": tally.errors}
    if tally.median is not None:
        entry["medianSeconds"] = f"{tally.median:.6f}"
    return entry


def tally_of(entry: dict[str, Any] | None) -> Tally:
    """The same back; none of an entry that is not there."""
    entry = entry or {}
    median = entry.get("medianSeconds")
    return Tally(
        max(entry.get("requests") or 0, 0),
        max(entry.get("errors") or 0, 0),
        float(median) if median is not None else None,
    )


def median_text(tally: Tally) -> str:
    """Its median, for people."""
    seconds = tally.median or 0.0
    return f"{seconds * 1000:,.3g} ms" if seconds < 1 else f"{seconds:,.3g} s"
