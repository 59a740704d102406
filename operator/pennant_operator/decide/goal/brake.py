"""What the brake of a ModelRegistry keeps from being rolled out, and what goes on all the same."""

from datetime import datetime
from typing import Any

from pennant_operator.decide.seen.memory import Memory, desired_version
from pennant_operator.decide.seen.observed import Absent, ModelVersion, Observed
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.decide.seen.world import World
from pennant_operator.decide.times import format_time


def is_braked(observed: Observed) -> bool:
    """Whether the ModelRegistry's brake holds."""
    return observed.registry is not None and observed.registry.braked


def brake_stops(
    observed: Observed, world: World, memory: Memory, desired: ModelVersion, revision: str
) -> bool:
    """Whether the brake keeps this revision from beginning.

    What has begun goes on: its alias moved before. A change of `spec.serving` is no new version,
    and a pin on a version that ran here is a person's own word.
    """
    if not is_braked(observed):
        return False
    traffic = world.traffic.revision if world.traffic else None
    if revision in {traffic, memory.candidate.get("revision")}:
        return False
    identity = (desired.name, desired.version, desired.created)
    ran = {
        record.revision
        for record in observed.records.values()
        if (record.model, record.version, record.created) == identity
    }
    return not (ran if world.spec.watch.version is not None else traffic in ran)


def vanished(observed: Observed, memory: Memory) -> bool:
    """Whether the brake holds, and what this follows is gone with others."""
    known = memory.before_brake or memory.desired
    return is_braked(observed) and isinstance(observed.desired, Absent) and bool(known)


def begun(observed: Observed, memory: Memory) -> str | None:
    """The revision that was on its way before the brake took hold."""
    revision = memory.candidate.get("revision")
    return revision if revision in observed.records else None


def before_brake_of(
    observed: Observed, memory: Memory, watch: Watch, now: datetime
) -> dict[str, Any] | None:
    """The next `status.beforeBrake`: where the alias was, while it is elsewhere and braked.

    It must outlive this process: the brake ends by itself when all aliases are back.
    """
    before, desired = memory.before_brake, observed.desired
    if observed.registry is None:
        return before or None  # nobody knows
    if not is_braked(observed) or watch.version is not None or not memory.resolved_for(watch):
        return None
    version = desired_version(desired)
    if version is None and not isinstance(desired, Absent):
        return before or None
    if not before and memory.desired:
        before = {"version": memory.desired["version"], "since": format_time(now)}
    return before if before and version != before["version"] else None
