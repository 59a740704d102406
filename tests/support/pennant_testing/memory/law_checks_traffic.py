"""The laws on traffic and on what has it: what moves it, what empties it, and by whose word."""

import json
import math
from datetime import timedelta
from typing import Any

from pennant_operator.decide.intent import Apply
from pennant_operator.decide.seen.actions import in_force
from pennant_operator.decide.seen.observed import (
    Absent,
    Observed,
)
from pennant_operator.decide.seen.peoples_word import with_pin
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.times import parse_time
from pennant_testing.memory.cluster_state import REVISION, SLOTS
from pennant_testing.memory.routes import BOTH, LOBBY, SLOT, route_of
from pennant_testing.memory.simulated_cluster import Simulation, leads_to

WARM = "pennant.dev/warm-revision"


def check_emptied_in_outage(world: Simulation, seen: Observed, revision: str) -> None:
    """Law 2: what is emptied all the same was decided before, or had its bake."""
    status, spec = seen.owner.get("status") or {}, seen.owner["spec"]
    candidate = status.get("candidate") or {}
    service = seen.children.get("Service/rec", {"metadata": {}})
    decided = (
        revision in {entry["revision"] for entry in status.get("rejected", ())},
        revision == service["metadata"].get("annotations", {}).get(WARM),
        candidate.get("revision", revision) != revision,  # superseded
        candidate.get("retryTime"),
        candidate.get("strategy") == "Recreate",  # Auto: it waits until what serves made way
        not spec["replicas"],
        _asked_no_more(world, seen, revision),
    )
    assert any(decided), "law 2: pods are taken down in an outage"


def _asked_no_more(world: Simulation, seen: Observed, revision: str) -> bool:
    """A person wrote another spec: that is no answer of a registry."""
    spec, record = seen.owner["spec"], world.records.get(revision)
    if record is None:
        return False
    spec = with_pin(seen.owner, in_force(seen.actions, world.now))["spec"]
    pinned = spec["model"].get("version", record.version)
    asked = record.with_spec(spec.get("serving", {}), spec.get("environmentCheck"))
    return pinned != record.version or asked != revision


def check_action_hold(world: Simulation, seen: Observed, revision: str) -> None:
    """Under a Hold nothing new gets pods; what is gone back to may, and what is pinned."""
    word = in_force(seen.actions, world.now)
    if word.hold is not None and word.pin is None:
        service = seen.children.get("Service/rec", {"metadata": {}})
        warm = service["metadata"].get("annotations", {}).get(WARM)
        serves = (seen.owner["status"].get("serving") or {}).get("revision")  # without a Service
        assert revision in {warm, serves}, "hold: a new revision gets pods"


def check_traffic_move(world: Simulation, seen: Observed, write: Apply) -> None:
    annotations = write.manifest["metadata"]["annotations"]
    slot, revision = (
        annotations["pennant.dev/active-slot"],
        annotations["pennant.dev/active-revision"],
    )
    live = world.children.get(f"Service/{world.owner['metadata']['name']}")
    _check_route(world, seen, write, slot, live)
    if world.active == ((slot, revision) if slot in SLOTS else None):
        return
    if live is None or _had_it(seen, slot, revision):  # it was deleted or edited by hand
        return
    if route_of(live) == route_of(write.manifest) != SLOT:  # what stands beside it was
        return
    assert write.resource_version, "law 9: traffic moved without resourceVersion"
    if slot not in SLOTS:
        _check_release(seen)
        return
    back = live["metadata"]["annotations"].get(WARM) == revision
    check_proved(world, seen, slot, revision, ready_ones=back)
    size = max(deployment_of(seen, slot)["spec"]["replicas"], len(seen.pods[slot]))
    full = back or size >= seen.owner["spec"]["replicas"] or route_of(write.manifest) == BOTH
    assert full, "law 3: traffic moved to what is not at full size"


def _had_it(seen: Observed, slot: str, revision: str) -> bool:
    """By what the operator knew: a slot that it fills in the same plan has answered nothing."""
    known = {each: seen.children.get(f"Deployment/rec-{each}", {}) for each in SLOTS}
    sizes = {each: known[each].get("spec", {}).get("replicas", 0) for each in SLOTS}
    ranks = {each: (_ready(seen, each), sizes[each] > 0) for each in SLOTS}
    labels = known.get(slot, {}).get("metadata", {}).get("labels", {})
    active = leads_to(seen.children.get("Service/rec"), ranks)
    return (active, labels.get(REVISION)) == (slot, revision)


def _ready(seen: Observed, slot: str) -> bool:
    return any(p.ready and not p.terminating and not p.evicted for p in seen.pods.get(slot, ()))


def _check_route(
    world: Simulation, seen: Observed, write: Apply, slot: str, live: dict[str, Any] | None
) -> None:
    """To one slot, as it is written beside; to both, once both are proved; or to who waits."""
    route = route_of(write.manifest)
    if route == SLOT:
        assert write.manifest["spec"]["selector"]["pennant.dev/slot"] == slot, "law 8: two truths"
    if live is None or route_of(live) == route:
        return
    assert write.resource_version, "law 9: the traffic takes another way without resourceVersion"
    if route == BOTH:
        (other,) = {*SLOTS} - {slot}
        check_proved(world, seen, other, deployment_of(seen, other)["metadata"]["labels"][REVISION])
    elif route == LOBBY:
        waits = seen.children.get("Deployment/rec-lobby", {}).get("status", {})
        assert waits.get("readyReplicas"), "law 3: traffic leads to a lobby where nobody waits"


def check_proved(
    world: Simulation, seen: Observed, slot: str, revision: str, *, ready_ones: bool = False
) -> None:
    """Law 1: what its pods are was looked at; of those that had the traffic, the ready ones."""
    labels = deployment_of(seen, slot)["metadata"]["labels"]
    assert labels[REVISION] == revision, "law 1: another revision"
    pods = [p for p in seen.pods[slot] if not p.terminating and not p.evicted]
    _check_pods(world, seen, [p for p in pods if p.ready] if ready_ones else pods, revision)


def deployment_of(seen: Observed, slot: str) -> dict[str, Any]:
    """As the operator knows it."""
    deployment = seen.children.get(f"Deployment/rec-{slot}")
    assert deployment is not None, "law 3: traffic moved to an empty slot"
    return deployment


def check_judged(seen: Observed, rejected: dict[str, Any]) -> None:
    """Nobody goes back for answers that were not read, or that are the version's before it."""
    if rejected["reason"] not in {"ErrorsInBake", "SlowInBake"}:
        return
    traffic = seen.children["Service/rec"]["metadata"]["annotations"]
    assert seen.reports is not None, "answers: nothing was read"
    assert seen.reports.about.startswith(f"{rejected['revision']} since"), "answers: of another"
    assert seen.reports.answers.tally.requests >= 20, "answers: too few"
    assert traffic[WARM], "answers: nothing to go back to"


def answers_nothing(world: Simulation, seen: Observed, slot: str) -> bool:
    """For a minute, by the status and by the pods that are there; another revision takes over."""
    status = seen.owner.get("status") or {}
    ready = next(c for c in status["conditions"] if c["type"] == "Ready")
    silent = world.now - parse_time(ready["lastTransitionTime"]) >= timedelta(minutes=1)
    answers = _ready(seen, slot)
    return ready["status"] == "False" and silent and not answers and "candidate" in status


def may_let_go(seen: Observed) -> bool:
    """Traffic may be taken away: by MLflow's own word, and only where that was asked for."""
    wanted = seen.owner["spec"].get("onAliasRemoved") == "ScaleDown"
    if seen.registry is not None and seen.registry.braked and _was_at_a_version(seen):
        return False
    return _pointer_is_gone(seen) and wanted and not seen.owner["spec"].get("suspend")


def _was_at_a_version(seen: Observed) -> bool:
    status = seen.owner.get("status") or {}
    return "desired" in status or "beforeBrake" in status


def _pointer_is_gone(seen: Observed) -> bool:
    return isinstance(seen.desired, Absent) and seen.desired.reason in {"AliasNotSet", "StageEmpty"}


def _check_release(seen: Observed) -> None:
    wanted = seen.owner["spec"].get("onAliasRemoved") == "ScaleDown"
    assert _pointer_is_gone(seen), "law 2: traffic taken away by no answer"
    assert wanted, "law 2: traffic taken away though nobody asked for it"
    assert may_let_go(seen), "law 2: traffic taken away while suspended"


def _check_pods(world: Simulation, seen: Observed, pods: list[PodFacts], revision: str) -> None:
    assert pods, "law 1: traffic moved to no pods"
    assert all(p.revision == revision for p in pods), "law 1: pods of another revision"
    unready = [p for p in pods if not p.ready]
    assert not any(p.failure for p in unready), "law 1: a pod fails"
    assert len(unready) <= math.ceil(len(pods) / 10), "law 1: too few are ready"
    assert any(p.ready for p in pods), "law 1: nothing answers"
    unproved = [p for p in unready if not p.been_ready]
    assert len(unproved) < math.ceil(len(pods) / 10), "law 1: a pod was never ready"
    pods = [p for p in pods if p.been_ready]
    digests = {p.digest for p in pods}
    assert len(digests) == 1, f"law 1: pods fetched {digests}"
    assert None not in digests, "law 1: nobody knows what the pods fetched"
    pins: dict[str, str] = {}
    for children in (seen.children, world.children):  # a person may have deleted them a moment ago
        pins |= children.get("ConfigMap/rec-digests", {}).get("data", {})
    record = world.records.get(revision)
    pinned = record is None or record.sha256 or pins.get(revision)
    assert pinned, "law 1: traffic before the digest is pinned"
    if revision in world.installs:
        environments = {p.environment and p.environment.digest for p in pods}
        assert len(environments) == 1, f"law 1: pods installed {environments}"
        assert None not in environments, "law 1: nobody knows what the pods installed"
        lock = record.environment if record is not None else world.locks.get(revision)
        pin = lock or pins.get(f"environment.{revision}")
        assert pin, "law 1: traffic before the packages are pinned"
        assert json.loads(pin)["digest"] in environments, "law 1: other packages are pinned"
