"""What somebody holds in the registry does not begin: it gets neither pods nor the traffic."""

from typing import Any

from pennant_operator.decide.intent import Apply
from pennant_operator.decide.seen.actions import in_force
from pennant_operator.decide.seen.observed import Observed
from pennant_operator.decide.seen.peoples_word import with_pin
from pennant_testing.memory.cluster_state import REVISION
from pennant_testing.memory.simulated_cluster import Simulation


def check_hold(world: Simulation, seen: Observed, write: Apply) -> None:
    """A Deployment gets its first pods, which nothing that has begun needs."""
    labels, size = write.manifest["metadata"]["labels"], write.manifest["spec"]["replicas"]
    live = world.deployment(labels["pennant.dev/slot"])
    if not size or (live and live["spec"]["replicas"]):
        return
    assert _may_begin(world, seen, labels[REVISION]), "hold: a version that is held gets pods"


def check_hold_of_traffic(world: Simulation, seen: Observed, write: Apply) -> None:
    """What is still warm has pods; it had the traffic before, and that says nothing of now."""
    annotations = write.manifest["metadata"]["annotations"]
    revision = annotations.get("pennant.dev/active-revision")
    live = world.children.get("Service/rec", {"metadata": {}})["metadata"].get("annotations", {})
    if revision and revision == live.get("pennant.dev/warm-revision"):
        assert _may_begin(world, seen, revision), "hold: traffic goes to a version that is held"


def _may_begin(world: Simulation, seen: Observed, revision: str) -> bool:
    version, status = world.versions.get(revision), seen.owner.get("status") or {}
    hold = seen.holds.on(str(version), world.now) if seen.holds else None
    pinned = with_pin(seen.owner, in_force(seen.actions, world.now))["spec"]["model"]
    if hold is None or pinned.get("version"):
        return True
    serving = status.get("serving") or {}
    under_way = {(status.get(part) or {}).get("revision") for part in ("candidate", "serving")}
    active = world.active[1] if world.active else None
    begun = (status.get("candidate") or {}).get("version")
    if revision in {*under_way, active} or version in {world.serving, begun}:
        return True
    rejected: list[dict[str, Any]] = status.get("rejected") or []
    if active in {each["revision"] for each in rejected}:
        return True  # the way back from a crash
    older = not serving or int(str(version)) < int(serving["version"])
    return hold.version is None and older
