"""The candidate's entry in `status`: since when, how often tried, when tried again."""

from datetime import datetime, timedelta
from typing import Any

from pennant_operator.decide.seen.memory import Memory, parked_until
from pennant_operator.decide.seen.slot import Slot
from pennant_operator.decide.seen.strategy import StrategyName
from pennant_operator.decide.times import format_time
from pennant_operator.decide.verdict import Crowded, Held, Verdict
from pennant_operator.decide.vocabulary import Reason

_HOLD_FIELDS = {"retryTime", "reason", "message", "shortSince"}
_LACKS_OF_ROOM = {Reason.UNSCHEDULABLE, Reason.QUOTA_EXCEEDED}
_FIRST_RETRY_DELAY = timedelta(seconds=30)  # of a held candidate; doubles each time
_MAX_RETRY_DELAY = timedelta(minutes=10)  # at most, until a held candidate is tried again


def candidate_entry(
    memory: Memory,
    *,
    revision: str,
    version: str,
    image: str | None,
    slot: Slot,
    replicas: int,
    verdict: Verdict | None,
    now: datetime,
) -> dict[str, Any]:
    """The next `status.candidate` for a revision on its way."""
    before = memory.candidate
    if before.get("revision") != revision:
        waited = memory.line if memory.line.get("revision") == revision else {}
        attempts = waited.get("attempts", 0)
        before = {"revision": revision, "since": format_time(now), "attempts": attempts}
    until = parked_until(before)
    if until is not None and now >= until:
        before = {**_without_hold(before), "since": format_time(now)}
    entry = {**before, "version": version, "slot": slot.name}
    if slot.size and slot.revision == revision and slot.lacks_pods(replicas):
        entry.setdefault("shortSince", format_time(now))
    else:
        entry.pop("shortSince", None)
    if image:
        entry["image"] = image
    if "firstReadyTime" not in entry and slot.revision == revision and slot.ready:
        entry["firstReadyTime"] = format_time(now)
    if isinstance(verdict, Crowded):
        # Another attempt, with clocks of its own.
        entry |= {"strategy": str(StrategyName.RECREATE), "since": format_time(now)}
        entry["strategyReason"] = verdict.message
    if isinstance(verdict, Held):
        if entry.get("strategy") and slot.size and verdict.reason in _LACKS_OF_ROOM:
            # What served made way in vain: once is enough.
            entry |= {"strategy": str(StrategyName.BLUE_GREEN), "strategyReason": verdict.message}
        attempts = int(entry.get("attempts", 0)) + 1
        entry |= {
            "attempts": attempts,
            "retryTime": format_time(now + _retry_delay(attempts)),
            "reason": str(verdict.reason),
            "message": verdict.message,
        }
    return entry


def is_parked(candidate: dict[str, Any], revision: str | None, now: datetime) -> bool:
    """Whether a held candidate waits for its next try."""
    until = parked_until(candidate)
    return candidate.get("revision") == revision and until is not None and now < until


def is_retried(candidate: dict[str, Any], revision: str | None, now: datetime) -> bool:
    """Whether a held candidate's next try begins now."""
    until = parked_until(candidate)
    return candidate.get("revision") == revision and until is not None and now >= until


def tried_now(candidate: dict[str, Any], now: datetime) -> dict[str, Any]:
    """`status.candidate` of a held candidate that a person wants tried now: as if held never."""
    return {**_without_hold(candidate), "since": format_time(now), "attempts": 0}


def _retry_delay(attempts: int) -> timedelta:
    """30 s, doubled with every attempt, at most 10 min."""
    doubled: timedelta = _FIRST_RETRY_DELAY * 2 ** min(attempts - 1, 10)
    return min(doubled, _MAX_RETRY_DELAY)


def _without_hold(candidate: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in candidate.items() if k not in _HOLD_FIELDS}
