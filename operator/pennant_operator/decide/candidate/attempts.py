"""The candidate's entry in `status`: since when, how often tried, when tried again."""

from datetime import datetime, timedelta
from typing import Any

from pennant_operator.decide.seen.memory import Memory, parked_until
from pennant_operator.decide.seen.world import Slot
from pennant_operator.decide.times import format_time
from pennant_operator.decide.verdict import Held, Verdict

_OF_AN_ATTEMPT = {"retryTime", "reason", "message", "shortSince"}
_FIRST_RETRY = timedelta(seconds=30)  # until a held candidate is tried again; doubles each time
_LONGEST_RETRY = timedelta(minutes=10)  # at most, until a held candidate is tried again


def entry(
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
        before = {"revision": revision, "since": format_time(now), "attempts": 0}
    until = parked_until(before)
    if until is not None and now >= until:
        before = {**_without_hold(before), "since": format_time(now)}
    found = {**before, "version": version, "slot": slot.name}
    if slot.size and slot.revision == revision and slot.lacks_pods(replicas):
        found.setdefault("shortSince", format_time(now))
    else:
        found.pop("shortSince", None)
    if image:
        found["image"] = image
    if "firstReadyTime" not in found and slot.revision == revision and slot.ready:
        found["firstReadyTime"] = format_time(now)
    if isinstance(verdict, Held):
        attempts = int(found.get("attempts", 0)) + 1
        found |= {
            "attempts": attempts,
            "retryTime": format_time(now + _pause(attempts)),
            "reason": str(verdict.reason),
            "message": verdict.message,
        }
    return found


def is_parked(candidate: dict[str, Any], revision: str | None, now: datetime) -> bool:
    """Whether a held candidate waits for its next try."""
    until = parked_until(candidate)
    return candidate.get("revision") == revision and until is not None and now < until


def is_retried(candidate: dict[str, Any], revision: str | None, now: datetime) -> bool:
    """Whether a held candidate's next try begins now."""
    until = parked_until(candidate)
    return candidate.get("revision") == revision and until is not None and now >= until


def _pause(attempts: int) -> timedelta:
    """30 s, doubled with every attempt, at most 10 min."""
    doubled: timedelta = _FIRST_RETRY * 2 ** min(attempts - 1, 10)
    return min(doubled, _LONGEST_RETRY)


def _without_hold(candidate: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in candidate.items() if k not in _OF_AN_ATTEMPT}
