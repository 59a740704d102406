"""Whether somebody holds the desired version in the registry, by a tag of its model.

A hold holds what would begin: what serves, and a rollout that has begun, go on. One on the alias
lets older versions that served here have the traffic back: whoever holds it in an incident must be
able to go back. One on a version is on that version, wherever it served.
"""

from datetime import datetime
from typing import Any

from pennant_operator.decide.goal.gates import revisions_of
from pennant_operator.decide.seen.memory import Memory, desired_version
from pennant_operator.decide.seen.observed import Absent, Desired, ModelVersion, Observed
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.decide.seen.world import World
from pennant_operator.decide.times import parse_time
from pennant_registry.hold_form import Hold, time_text


def hold_on(
    observed: Observed,
    world: World,
    memory: Memory,
    desired: ModelVersion,
    revision: str,
    now: datetime,
) -> Hold | None:
    """What keeps a version from beginning; None where nothing does."""
    watch = world.spec.watch
    if watch.version is not None:  # it follows nothing that somebody could hold
        return None
    if observed.holds is not None:
        hold = observed.holds.on(desired.version, now)
    else:
        hold = remembered_hold(memory, desired, watch, now)
    revisions = revisions_of(observed, desired, revision)
    if hold is None or _has_begun(world, memory, revisions):
        return None
    goes_back = hold.version is None and _goes_back(observed, world, memory, desired, revisions)
    return None if goes_back else hold


def remembered_hold(memory: Memory, desired: Desired, watch: Watch, now: datetime) -> Hold | None:
    """What the registry said last, be it to the process before this one, of what is desired."""
    hold = _hold_of(memory.status.get("hold"))
    silent = not isinstance(desired, Absent) and memory.resolved_for(watch)
    same = desired_version(desired) in {None, memory.desired.get("version")}
    return hold if hold is not None and silent and same and hold.in_force(now) else None


def hold_entry(hold: Hold | None) -> dict[str, Any] | None:
    """As `status.hold` has it."""
    if hold is None:
        return None
    optional = {
        "by": hold.by,
        "since": time_text(hold.since) if hold.since else None,
        "until": time_text(hold.until) if hold.until else None,
        "version": hold.version,
    }
    entry = {"tag": hold.tag, "reason": hold.reason}
    return entry | {name: value for name, value in optional.items() if value}


def _hold_of(entry: dict[str, Any] | None) -> Hold | None:
    if not entry:
        return None
    since, until = entry.get("since"), entry.get("until")
    return Hold(
        reason=entry["reason"],
        by=entry.get("by"),
        since=parse_time(since) if since else None,
        until=parse_time(until) if until else None,
        version=entry.get("version"),
        tag=entry["tag"],
    )


def _has_begun(world: World, memory: Memory, revisions: set[str]) -> bool:
    """It has the traffic, or is on its way there; what is only kept warm was there before."""
    idle, traffic = world.idle, world.traffic
    begun = {memory.candidate.get("revision"), traffic.revision if traffic else None}
    if idle.size and not (traffic and idle.revision == traffic.warm):
        begun.add(idle.revision)
    return not revisions.isdisjoint(begun)


def _goes_back(
    observed: Observed, world: World, memory: Memory, desired: ModelVersion, revisions: set[str]
) -> bool:
    """An older version than the one that serves, which served here itself."""
    if not any(memory.served_last(each) for each in revisions):
        return False
    if world.traffic is None:
        return True
    serving = observed.records.get(world.traffic.revision)
    if serving is None or serving.model != desired.name or not serving.version.isdecimal():
        return False
    return int(desired.version) < int(serving.version)
