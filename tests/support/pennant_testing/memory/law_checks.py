"""The laws of docs/laws.md as checks on what an operator decides, writes and says.

A broken law is an AssertionError that begins with its number.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pennant_operator.decide.intent import AnnotatePod, Apply, Delete, Plan
from pennant_operator.decide.seen.actions import Act, in_force
from pennant_operator.decide.seen.observed import (
    ModelVersion,
    Observed,
    Unknown,
    Unresolved,
)
from pennant_operator.decide.seen.peoples_word import with_pin
from pennant_testing.memory.cluster_state import REVISION, SLOTS
from pennant_testing.memory.law_checks_hold import check_hold, check_hold_of_traffic
from pennant_testing.memory.law_checks_registry import check_its_turn
from pennant_testing.memory.law_checks_status import (
    Children,
    check_conditions,
    check_pin,
    check_ready,
)
from pennant_testing.memory.law_checks_strategies import (
    check_child,
    check_no_share_is_left,
    check_pods_of_the_lobby,
    check_shares,
    check_size,
)
from pennant_testing.memory.law_checks_traffic import (
    check_action_hold,
    check_emptied_in_outage,
    check_judged,
    check_traffic_move,
)
from pennant_testing.memory.routes import BOTH, route_of
from pennant_testing.memory.simulated_cluster import Simulation
from pennant_testing.truth.kstatus import Judge


class Laws:
    """Watches one operator through its whole life."""

    def __init__(self) -> None:
        self._refused: set[str] = set()  # revisions that may have no pods
        self._begun: set[str | None] = set()  # versions that had pods, or a rollout
        self._pins = False  # whether a person ever pinned a version by a RolloutAction
        self._judge = Judge()

    def forget_rejections(self) -> None:
        """Whoever recorded them was deleted."""
        self._refused.clear()

    def decided(self, seen: Observed, decision: Plan, now: datetime) -> None:
        """Law 4: what was rejected stays so until another version was desired, or a person asks."""
        word = in_force(seen.actions, now)
        seen = replace(seen, owner=with_pin(seen.owner, word))
        version = _desired(seen, decision)
        if version is not None:
            desired = (decision.status or seen.owner.get("status") or {}).get("desired") or {}
            same = {version, desired.get("followed")}  # a Pin is no move of the alias
            self._refused = {r for r in self._refused if _version(seen, r) in same}
        if decision.status is not None and "conditions" in decision.status:
            if _is_retry(seen, decision.status.get("action")):
                left = {entry["revision"] for entry in decision.status.get("rejected", ())}
                self._refused &= left
            check_conditions(seen, decision.status)
            self._check_beginning(seen, decision)
            check_pin(seen, decision.status, word.pin.version if word.pin else None)
            candidate = decision.status.get("candidate") or {}
            if _gates_pass(seen, candidate.get("revision", "")):
                self._begun.add(candidate.get("version"))

    def seen(self, world: Simulation) -> None:
        """Law 6: what a watch tells of the ModelDeployment means what kstatus reads in it."""
        self._pins |= any(a["spec"]["action"] == "Pin" for a in world.actions.values())
        if self._pins and "version" in world.owner["spec"]["model"]:
            return  # two versions are pinned, and only the actions tell which counts
        recorded = {r for r, record in world.records.items() if record.created}
        wrong = self._judge.saw(world.owner, lost=world.versions.keys() - recorded)
        assert wrong is None, f"law 6: {wrong}"

    def before(self, world: Simulation, seen: Observed, write: Any) -> None:
        """A request reaches the API server."""
        if isinstance(write, Delete):
            self._check_deletion(world, write)
        elif isinstance(write, AnnotatePod):
            check_shares(world, seen, write)
        elif isinstance(write, Apply) and not _is_refused(world, write):
            _check_owner(world, write)
            check_child(seen, write)
            if _is_of_a_slot(write):
                self._check_deployment(world, seen, write)
                self._check_gates(world, seen, write)
                check_hold(world, seen, write)
                wants_token = "PENNANT_REHEARSAL_TOKEN" in str(write.manifest)
                assert world.tokens or not wants_token, "rehearsal: pods before their token"
                check_its_turn(world, seen, write)
            if write.manifest["kind"] == "Service":
                self._check_service(world, seen, write)

    def _check_service(self, world: Simulation, seen: Observed, write: Apply) -> None:
        match write.manifest["metadata"]["name"]:
            case "rec":
                check_traffic_move(world, seen, write)
                check_hold_of_traffic(world, seen, write)
            case "rec-pods":
                check_pods_of_the_lobby(world, seen, write)

    def after(self, world: Simulation) -> None:
        """Law 3: at most two revisions have pods."""
        pods = [p for pods in world.pods.values() for p in pods]
        running = {p.revision for p in pods if not p.evicted and not p.lost(world.now)}
        assert len(running) <= 2, f"law 3: pods of {running}"

    def done(self, world: Simulation, seen: Observed, decision: Plan, known: Children) -> None:
        """All requests of a plan were answered; the operator knows these children now."""
        before, after = seen.owner.get("status") or {}, decision.status or {}
        new = [e for e in after.get("rejected", ()) if e not in before.get("rejected", ())]
        self._refused |= {entry["revision"] for entry in new}
        for entry in new:
            check_judged(seen, entry)
        if decision.status is not None:
            if "summary" in before and after["summary"] != "Stalled":  # else nothing was decided
                check_no_share_is_left(world, seen, after)
            check_ready(known, seen, decision.status)

    def _check_deployment(self, world: Simulation, seen: Observed, write: Apply) -> None:
        slot = write.manifest["metadata"]["labels"]["pennant.dev/slot"]
        live, size = world.deployment(slot), write.manifest["spec"]["replicas"]
        if live and write.resource_version not in (None, live["metadata"]["resourceVersion"]):
            return  # the API server refuses it
        revision = write.manifest["metadata"]["labels"][REVISION]
        active = world.active is not None and world.active[0] == slot
        if world.active is not None and active:
            assert revision == world.active[1], "law 3: what serves gets another template"
        check_size(world, seen, slot, size)
        record = world.records.get(revision)
        if record is not None:
            recorded = record.manifest["spec"]["template"]
            same = recorded["spec"] == write.manifest["spec"]["template"]["spec"]
            assert same, "law 5: not the recorded manifest"
        if live is None:
            return
        grows = size > live["spec"]["replicas"]
        if live["metadata"]["labels"][REVISION] != revision:
            pods = [p for p in world.pods[slot] if not p.evicted and not p.lost(world.now)]
            assert not pods, f"slots: template changed with {len(pods)} pods"
            alone = route_of(world.children.get("Service/rec")) != BOTH
            assert alone, "law 1: what nobody looked at gets traffic as soon as it is ready"
            assert write.resource_version, "law 9: a template without resourceVersion"
        if size == 0 and live["spec"]["replicas"]:
            assert write.resource_version, "law 9: to zero without resourceVersion"
            reason = getattr(seen.desired, "reason", None)
            if isinstance(seen.desired, Unknown | Unresolved) or reason == "ModelNotFound":
                check_emptied_in_outage(world, seen, live["metadata"]["labels"][REVISION])
        if grows and not active:
            check_action_hold(world, seen, revision)
            assert revision not in self._refused, "law 4: a rejected revision gets pods"

    def _check_beginning(self, seen: Observed, decision: Plan) -> None:
        """That a rollout begins is recorded before it does: its gates are passed by then."""
        candidate = (decision.status or {}).get("candidate") or {}
        if decision.begins and isinstance(seen.desired, ModelVersion):
            own = candidate["version"] != seen.desired.version
            begun = own or candidate["version"] in self._begun
            passed = begun or _gates_pass(seen, candidate["revision"])
            assert passed, "gates: a version that is held begins"

    def _check_gates(self, world: Simulation, seen: Observed, write: Apply) -> None:
        """A version gets its first pods once its gates let it through."""
        labels, size = write.manifest["metadata"]["labels"], write.manifest["spec"]["replicas"]
        slot, version = labels["pennant.dev/slot"], world.versions.get(labels[REVISION])
        live, active = world.deployment(slot), world.active is not None and world.active[0] == slot
        if size and not active and not (live and live["spec"]["replicas"]):
            candidate = (seen.owner.get("status") or {}).get("candidate") or {}
            begun = version in self._begun or candidate.get("revision") == labels[REVISION]
            passed = begun or _gates_pass(seen, labels[REVISION])
            assert passed, "gates: a version that is held"
            self._begun.add(version)

    def _check_deletion(self, world: Simulation, write: Delete) -> None:
        assert write.uid, "law 9: deleted without uid"
        assert write.resource_version, "law 9: deleted without resourceVersion"
        if write.kind == "Pod":
            _check_replacement(world, write)
        if write.kind == "Deployment" and world.active is not None:
            assert not write.name.endswith(world.active[0]), "law 3: what serves is deleted"
        if write.kind == "ControllerRevision":
            deployments = filter(None, map(world.deployment, SLOTS))
            in_slots = {each["metadata"]["labels"].get(REVISION) for each in deployments}
            gone = {r for r, record in world.records.items() if record.uid == write.uid}
            assert not gone & in_slots, "law 5: the record of a slot is deleted"


def _desired(seen: Observed, decision: Plan) -> str | None:
    """The version that is known to be asked for: a pin needs no answer where it ran before."""
    if isinstance(seen.desired, ModelVersion | Unresolved) and seen.desired.version:
        return seen.desired.version
    desired = (decision.status or {}).get("desired") or {}
    return desired.get("version") if seen.owner["spec"]["model"].get("version") else None


def _is_retry(seen: Observed, taken: dict[str, Any] | None) -> bool:
    """Whether this status is what a Retry came to."""
    retries = {action.uid for action in seen.actions if action.act is Act.RETRY}
    return taken is not None and taken["uid"] in retries


def _gates_pass(seen: Observed, revision: str) -> bool:
    """By those of the chaos: a tag; or a person says so."""
    approved = (seen.owner.get("status") or {}).get("approved") or {}
    if approved.get("revision") == revision:
        return True
    registry, facts = seen.registry, seen.gate_facts
    asked = seen.owner["spec"].get("gates") or (registry and registry.gates.tags)
    if not asked or facts is None:
        return not asked
    tags = facts.version.tags
    return not isinstance(tags, str) and tags.get("approved") == "true"


def one_revision(world: Simulation) -> None:
    """A slot has pods of the revision that it holds; others are on their way out."""
    for slot in SLOTS:
        deployment = world.deployment(slot)
        if deployment is None or world.asked.get(slot, ("", 0))[0] == "":
            continue
        revision = deployment["spec"]["template"]["metadata"]["labels"][REVISION]
        strange = [p for p in world.pods[slot] if not (p.terminating or p.evicted)
                   and p.revision != revision]  # fmt: skip
        assert not strange, f"slots: {revision} holds pods of {strange[0].revision}"


def _check_replacement(world: Simulation, write: Delete) -> None:
    """One bad pod among ready siblings, one at a time."""
    slot = next((s for s in SLOTS if write.uid in {p.uid for p in world.pods[s]}), None)
    if slot is None:
        return
    bad = [p for p in world.pods[slot] if p.uid == write.uid]
    assert not bad[0].ready, "replace: a ready pod is deleted"
    leaving = [p for p in world.pods[slot] if p.terminating and not p.lost(world.now)]
    assert not leaving, "replace: two at a time"
    young = [p for p in world.pods[slot] if world.now - p.created < timedelta(minutes=2)]
    assert not young, "replace: soon again"


def _is_of_a_slot(write: Apply) -> bool:
    return write.manifest["metadata"]["name"] in {f"rec-{slot}" for slot in SLOTS} and (
        write.manifest["kind"] == "Deployment"
    )


def _is_refused(world: Simulation, write: Apply) -> bool:
    """The API server refuses it: another object has the name now, or none."""
    live = world.children.get(f"{write.manifest['kind']}/{write.manifest['metadata']['name']}")
    return write.uid != (live["metadata"]["uid"] if live else None)


def _check_owner(world: Simulation, write: Apply) -> None:
    live = world.children.get(f"{write.manifest['kind']}/{write.manifest['metadata']['name']}")
    owners = live["metadata"].get("ownerReferences", ()) if live else ()
    if live is not None:
        ours = world.owner["metadata"]["uid"] in {o["uid"] for o in owners}
        assert ours, f"law 11: {write.manifest['kind']} of somebody else is overwritten"


def _version(seen: Observed, revision: str) -> str | None:
    status = seen.owner.get("status") or {}
    listed = (*status.get("rejected", ()), *status.get("history", ()))
    return next((e["version"] for e in listed if e["revision"] == revision), None)
