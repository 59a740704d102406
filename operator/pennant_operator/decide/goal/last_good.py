"""What a cluster that was made anew starts from, where the desired version was rejected.

It has no status and no record of what served before, but the registry has: the version whose tag of
this place says that it serves and passed its bake (`spec.writeBack`). Only where nothing has served
here yet; it is tried as any other version is.
"""

from typing import Any

from pennant_operator.decide.goal.revisions import revision_today
from pennant_operator.decide.seen.memory import Memory, memory_of
from pennant_operator.decide.seen.observed import ModelVersion, Observed
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.decide.seen.world import World
from pennant_operator.decide.vocabulary import Condition, Reason, Summary


def wants_last_good(seen: Observed, watch: Watch) -> bool:
    """Whether its tag is to be looked for."""
    memory, desired = memory_of(seen.owner), seen.desired
    if watch.version is not None or not isinstance(desired, ModelVersion):
        return False
    if desired.silence is not None:
        return False
    is_rejected = any(each.get("version") == desired.version for each in memory.rejected)
    return is_rejected and nothing_served_yet(memory)


def nothing_served_yet(memory: Memory) -> bool:
    """By what was said last."""
    ready = memory.condition(Condition.READY)
    return bool(ready.get("reason") == Reason.NOTHING_SERVED_YET)


def version_to_start_from(
    observed: Observed, world: World, memory: Memory, rejected: list[dict[str, Any]]
) -> ModelVersion | None:
    """The last good version, or the one that comes up as that; None where there is none to try."""
    spec, desired = world.spec, observed.desired
    stopped = spec.halted or (observed.registry is not None and observed.registry.braked)
    if world.traffic is not None or stopped or spec.watch.version is not None:
        return None
    if not isinstance(desired, ModelVersion) or not nothing_served_yet(memory):
        return None
    good = _begun(observed, memory) or observed.last_good
    if good is None or good.version == desired.version:
        return None
    revision = revision_today(spec, good)
    return None if any(entry["revision"] == revision for entry in rejected) else good


def _begun(observed: Observed, memory: Memory) -> ModelVersion | None:
    """What comes up as that, whatever its tag says by now; not what a person pinned for a while."""
    is_start = memory.status.get("summary") == Summary.REJECTED
    record = observed.records.get(str(memory.candidate.get("revision")))
    return ModelVersion.of_record(record) if record is not None and is_start else None
