"""What comes by itself, and when."""

from dataclasses import replace
from datetime import datetime, timedelta

from pennant_operator.decide.seen.peoples_word import spec_of
from pennant_operator.decide.seen.spec import InvalidSpecError
from pennant_operator.decide.times import format_time, parse_time
from pennant_operator.decide.vocabulary import Reason
from pennant_operator.decide.why.change import Change, Means
from pennant_operator.decide.why.settling import Moment, settled
from pennant_operator.decide.why.word import holds_in_force
from pennant_registry.gates import NO_GATES, Gates, VersionFacts, evaluate, open_at

MAX_WINDOWS = 20  # one behind the other: after these nobody waits


def wait(moment: Moment) -> Change | None:
    """Until what is in the way ends by itself; None where it does not."""
    ends = _ends(moment)
    if ends is None:
        return None
    return Change(
        Means.WAIT, f"wait until {format_time(ends)}", lambda m: replace(m, now=max(m.now, ends))
    )


def _ends(moment: Moment) -> datetime | None:
    if moment.reason == Reason.HELD_IN_REGISTRY:
        return _time((moment.memory.status.get("hold") or {}).get("until"))
    if moment.reason == Reason.HELD_BY_ACTION:
        ends = [each.expires for each in holds_in_force(moment)]
        known = [each for each in ends if each is not None]
        return max(known) if known and len(known) == len(ends) else None
    if moment.reason == Reason.GATE_NOT_PASSED:
        return _open_at(moment)
    return _time(moment.memory.candidate.get("retryTime"))


def _time(text: str | None) -> datetime | None:
    return parse_time(text) if text else None


def _open_at(moment: Moment) -> datetime | None:
    """When the last closed window ends."""
    own = spec_of(moment.seen, moment.now).gates
    floor = moment.seen.registry.gates if moment.seen.registry else NO_GATES
    now = moment.now
    windows = Gates(closed=(*own.closed, *floor.closed))
    for _ in range(MAX_WINDOWS):
        until = open_at(evaluate(windows, VersionFacts(""), None, now))
        if until is None:
            return now if now > moment.now else None
        now = until
    return None


def gives_up_at(moment: Moment) -> datetime | None:
    """Until when what comes up may, if nothing changes; None where nothing does, or it always may.

    Asked of `plan` itself, at one time after another.
    """
    if not settled(moment).comes_up:
        return None
    try:
        limits = spec_of(moment.seen, moment.now).deadlines
    except InvalidSpecError:
        return None
    low, high = 0, int((limits.schedule + limits.fetch + limits.load).total_seconds()) + 60
    if settled(replace(moment, now=moment.now + timedelta(seconds=high))).comes_up:
        return None  # it has a share of the traffic, for as long as its step lasts
    while high - low > 1:
        middle = (low + high) // 2
        if settled(replace(moment, now=moment.now + timedelta(seconds=middle))).comes_up:
            low = middle
        else:
            high = middle
    return (moment.now + timedelta(seconds=high)).replace(microsecond=0)
