"""A registry's brake, and the line of its rollouts: who begins."""

from typing import Any

from pennant_operator.decide.intent import Apply
from pennant_operator.decide.seen.observed import Observed
from pennant_testing.memory.cluster_state import REVISION
from pennant_testing.memory.simulated_cluster import Simulation


def check_its_turn(world: Simulation, seen: Observed, write: Apply) -> None:
    """A revision gets its first pods once nobody stops it, and there is a place for it."""
    labels, size = write.manifest["metadata"]["labels"], write.manifest["spec"]["replicas"]
    slot, revision = labels["pennant.dev/slot"], labels[REVISION]
    known = seen.children.get(f"Deployment/rec-{slot}")
    live, active = world.deployment(slot), world.active is not None and world.active[0] == slot
    has_pods = any(each and each["spec"]["replicas"] for each in (known, live))
    if not size or active or has_pods or seen.registry is None:
        return
    candidate = (seen.owner.get("status") or {}).get("candidate") or {}
    if candidate.get("revision") != revision and seen.registry.braked:
        assert _ran_here(world, seen, revision), "brake: a version that is stopped gets pods"
    if not candidate and seen.turn.others + seen.turn.ahead >= seen.registry.max_rollouts:
        warm = world.active is None or _was_warm(seen, revision)
        assert warm, "line: more rollouts than may go on at once"


def _ran_here(world: Simulation, seen: Observed, revision: str) -> bool:
    """A change of the spec, or a pin on what ran before."""
    version, versions = world.versions.get(revision), world.versions
    before = {versions.get(r) for r in seen.records} | {world.serving}
    return version in before


def _was_warm(seen: Observed, revision: str) -> bool:
    service: dict[str, Any] = seen.children.get("Service/rec", {"metadata": {}})
    annotations = service["metadata"].get("annotations", {})
    return bool(annotations.get("pennant.dev/warm-revision") == revision)
