"""The laws of docs/laws.md as checks on what an operator decides, writes and says.

A broken law is an AssertionError that begins with its number.
"""

import math
from datetime import timedelta
from typing import Any

from pennant_operator.decide.intent import Apply, Delete, Plan
from pennant_operator.decide.seen.observed import (
    Absent,
    ModelVersion,
    Observed,
    Unknown,
    Unresolved,
)
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.times import parse_time
from pennant_testing.memory.simulated_cluster import REVISION, SLOTS, Simulation, leads_to
from pennant_testing.memory.situations import table, told_by
from pennant_testing.truth.kstatus import Judge

Children = dict[str, dict[str, Any]]
CONDITIONS = {"Ready", "Reconciling", "Stalled", "AliasInSync"}
WARM = "pennant.dev/warm-revision"
ROWS = {told.words for told in table().values()}
WORDS = ROWS | {words[:-1] for words in ROWS}


class Laws:
    """Watches one operator through its whole life."""

    def __init__(self) -> None:
        self._refused: set[str] = set()  # revisions that may have no pods
        self._judge = Judge()

    def decided(self, seen: Observed, found: Plan) -> None:
        """Law 4: what was rejected stays so until another version was desired."""
        version = _desired(seen, found)
        if version is not None:
            self._refused = {r for r in self._refused if _version(seen, r) == version}
        if found.status is not None and "conditions" in found.status:
            _said(seen, found.status)

    def seen(self, world: Simulation) -> None:
        """Law 6: what a watch tells of the ModelDeployment means what kstatus reads in it."""
        told = {r for r, record in world.records.items() if record.created}
        wrong = self._judge.saw(world.owner, lost=world.versions.keys() - told)
        assert wrong is None, f"law 6: {wrong}"

    def before(self, world: Simulation, seen: Observed, write: Any) -> None:
        """A request reaches the API server."""
        if isinstance(write, Delete):
            self._deleted(world, write)
        elif isinstance(write, Apply) and not _refused(world, write):
            _owned(world, write)
            if write.manifest["kind"] == "Deployment":
                self._deployment(world, seen, write)
            if write.manifest["kind"] == "Service":
                _service(world, seen, write)

    def after(self, world: Simulation) -> None:
        """Law 3: at most two revisions have pods."""
        pods = [p for pods in world.pods.values() for p in pods]
        running = {p.revision for p in pods if not p.evicted and not p.lost(world.now)}
        assert len(running) <= 2, f"law 3: pods of {running}"

    def done(self, world: Simulation, seen: Observed, found: Plan, known: Children) -> None:
        """All requests of a plan were answered; the operator knows these children now."""
        before, after = seen.owner.get("status") or {}, found.status or {}
        new = [e for e in after.get("rejected", ()) if e not in before.get("rejected", ())]
        self._refused |= {entry["revision"] for entry in new}
        if found.status is not None:
            _ready(known, seen, found.status)

    def _deployment(self, world: Simulation, seen: Observed, write: Apply) -> None:
        slot = write.manifest["metadata"]["labels"]["pennant.dev/slot"]
        live, size = world.deployment(slot), write.manifest["spec"]["replicas"]
        if live and write.resource_version not in (None, live["metadata"]["resourceVersion"]):
            return  # the API server refuses it
        revision = write.manifest["metadata"]["labels"][REVISION]
        active = world.active is not None and world.active[0] == slot
        if world.active is not None and active:
            assert revision == world.active[1], "law 3: what serves gets another template"
            known = seen.children.get(f"Deployment/rec-{slot}", live)
            sizes = {each["spec"]["replicas"] for each in (live, known) if each}
            stays = size in sizes and _let_go(seen)  # as it is, or was before somebody's edit
            wanted = seen.owner["spec"]["replicas"]
            if size == 0 and wanted and not stays:
                assert _answers_nothing(world, seen, slot), "law 3: what serves is taken down"
            else:
                assert stays or size == wanted, "law 3: what serves is scaled"
        record = world.records.get(revision)
        if record is not None:
            kept = record.manifest["spec"]["template"]
            same = kept["spec"] == write.manifest["spec"]["template"]["spec"]
            assert same, "law 5: not the recorded manifest"
        if live is None:
            return
        grows = size > live["spec"]["replicas"]
        if live["metadata"]["labels"][REVISION] != revision:
            pods = [p for p in world.pods[slot] if not p.evicted and not p.lost(world.now)]
            assert not pods, f"slots: template changed with {len(pods)} pods"
            assert write.resource_version, "law 9: a template without resourceVersion"
        if size == 0 and live["spec"]["replicas"]:
            assert write.resource_version, "law 9: to zero without resourceVersion"
            reason = getattr(seen.desired, "reason", None)
            if isinstance(seen.desired, Unknown | Unresolved) or reason == "ModelNotFound":
                _unknown(world, seen, live["metadata"]["labels"][REVISION])
        if grows and not active:
            assert revision not in self._refused, "law 4: a rejected revision gets pods"

    def _deleted(self, world: Simulation, write: Delete) -> None:
        assert write.uid, "law 9: deleted without uid"
        assert write.resource_version, "law 9: deleted without resourceVersion"
        if write.kind == "Pod":
            _replaced(world, write)
        if write.kind == "Deployment" and world.active is not None:
            assert not write.name.endswith(world.active[0]), "law 3: what serves is deleted"
        if write.kind == "ControllerRevision":
            held = {(world.deployment(s) or {}).get("metadata", {}).get("labels", {}).get(REVISION)
                    for s in SLOTS}  # fmt: skip
            gone = {r for r, record in world.records.items() if record.uid == write.uid}
            assert not gone & held, "law 5: the record of a slot is deleted"


def _desired(seen: Observed, found: Plan) -> str | None:
    """The version that is known to be asked for: a pin needs no answer where it ran before."""
    if isinstance(seen.desired, ModelVersion):
        return seen.desired.version
    told = (found.status or {}).get("desired") or {}
    return told.get("version") if seen.owner["spec"]["model"].get("version") else None


def one_revision(world: Simulation) -> None:
    """A slot has pods of the revision that it holds; others are on their way out."""
    for slot in SLOTS:
        deployment = world.deployment(slot)
        if deployment is None or world.asked.get(slot, ("", 0))[0] == "":
            continue
        held = deployment["spec"]["template"]["metadata"]["labels"][REVISION]
        strange = [p for p in world.pods[slot] if not (p.terminating or p.evicted)
                   and p.revision != held]  # fmt: skip
        assert not strange, f"slots: {held} holds pods of {strange[0].revision}"


def _replaced(world: Simulation, write: Delete) -> None:
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


def _refused(world: Simulation, write: Apply) -> bool:
    """The API server refuses it: another object has the name now, or none."""
    live = world.children.get(f"{write.manifest['kind']}/{write.manifest['metadata']['name']}")
    return write.uid != (live["metadata"]["uid"] if live else None)


def _owned(world: Simulation, write: Apply) -> None:
    live = world.children.get(f"{write.manifest['kind']}/{write.manifest['metadata']['name']}")
    owners = live["metadata"].get("ownerReferences", ()) if live else ()
    if live is not None:
        ours = world.owner["metadata"]["uid"] in {o["uid"] for o in owners}
        assert ours, f"law 11: {write.manifest['kind']} of somebody else is overwritten"


def _unknown(world: Simulation, seen: Observed, revision: str) -> None:
    """Law 2: what is emptied all the same was decided before, or had its bake."""
    status, spec = seen.owner.get("status") or {}, seen.owner["spec"]
    candidate = status.get("candidate") or {}
    service = seen.children.get("Service/rec", {"metadata": {}})
    decided = (
        revision in {entry["revision"] for entry in status.get("rejected", ())},
        revision == service["metadata"].get("annotations", {}).get(WARM),
        candidate.get("revision", revision) != revision,  # superseded
        candidate.get("retryTime"),
        not spec["replicas"],
        _asked_no_more(world, seen, revision),
    )
    assert any(decided), "law 2: pods are taken down in an outage"


def _asked_no_more(world: Simulation, seen: Observed, revision: str) -> bool:
    """A person wrote another spec: that is no answer of a registry."""
    spec, record = seen.owner["spec"], world.records.get(revision)
    if record is None:
        return False
    pinned = spec["model"].get("version", record.version)
    return pinned != record.version or record.with_serving(spec.get("serving", {})) != revision


def _service(world: Simulation, seen: Observed, write: Apply) -> None:
    told = write.manifest["metadata"]["annotations"]
    slot, revision = told["pennant.dev/active-slot"], told["pennant.dev/active-revision"]
    assert write.manifest["spec"]["selector"]["pennant.dev/slot"] == slot, "law 8: two truths"
    if world.active == ((slot, revision) if slot in SLOTS else None):
        return
    live = world.children.get(f"Service/{world.owner['metadata']['name']}")
    if live is None:  # it was deleted by hand and comes back
        return
    assert write.resource_version, "law 9: traffic moved without resourceVersion"
    if slot not in SLOTS:
        _released(seen)
        return
    deployment = seen.children.get(f"Deployment/rec-{slot}")
    assert deployment is not None, "law 3: traffic moved to an empty slot"
    assert deployment["metadata"]["labels"][REVISION] == revision, "law 1: another revision"
    pods = [p for p in seen.pods[slot] if not p.terminating and not p.evicted]
    back = live["metadata"]["annotations"].get(WARM) == revision
    _checked(world, seen, [p for p in pods if p.ready] if back else pods, revision)


def _answers_nothing(world: Simulation, seen: Observed, slot: str) -> bool:
    """For a minute, by the status and by the pods that are there; another revision takes over."""
    status = seen.owner.get("status") or {}
    ready = next(c for c in status["conditions"] if c["type"] == "Ready")
    silent = world.now - parse_time(ready["lastTransitionTime"]) >= timedelta(minutes=1)
    answers = any(p.ready and not p.terminating and not p.evicted for p in seen.pods[slot])
    return ready["status"] == "False" and silent and not answers and "candidate" in status


def _let_go(seen: Observed) -> bool:
    """Traffic may be taken away: by MLflow's own word, and only where that was asked for."""
    wanted = seen.owner["spec"].get("onAliasRemoved") == "ScaleDown"
    return _said_gone(seen) and wanted and not seen.owner["spec"].get("suspend")


def _said_gone(seen: Observed) -> bool:
    return isinstance(seen.desired, Absent) and seen.desired.reason in {"AliasNotSet", "StageEmpty"}


def _released(seen: Observed) -> None:
    wanted = seen.owner["spec"].get("onAliasRemoved") == "ScaleDown"
    assert _said_gone(seen), "law 2: traffic taken away by no answer"
    assert wanted, "law 2: traffic taken away though nobody asked for it"
    assert _let_go(seen), "law 2: traffic taken away while suspended"


def _checked(world: Simulation, seen: Observed, pods: list[PodFacts], revision: str) -> None:
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
    for told in (seen.children, world.children):  # a person may have deleted them a moment ago
        pins |= told.get("ConfigMap/rec-digests", {}).get("data", {})
    record = world.records.get(revision)
    pinned = record is None or record.sha256 or pins.get(revision)
    assert pinned, "law 1: traffic before the digest is pinned"


def _ready(known: Children, seen: Observed, status: dict[str, Any]) -> None:
    """Law 6: Ready says whether traffic is being answered."""
    said = {c["type"]: c["status"] for c in status["conditions"]}
    service = known.get("Service/rec", {"metadata": {}, "spec": {}})
    ours = [o["uid"] for o in service["metadata"].get("ownerReferences", ())]
    counts = {slot: _answering(seen, slot) for slot in SLOTS}
    slot = leads_to(service, {slot: (count > 0,) for slot, count in counts.items()})
    answers = counts.get(slot, 0) if seen.owner["metadata"]["uid"] in ours else 0
    assert (said["Ready"] == "True") == bool(answers), f"law 6: Ready={said['Ready']}"


def _answering(seen: Observed, slot: str) -> int:
    pods = seen.pods.get(slot)
    if pods is not None:
        return sum(p.ready and not p.terminating and not p.evicted for p in pods)
    counted = seen.children.get(f"Deployment/rec-{slot}", {}).get("status", {})
    return int(counted.get("readyReplicas", 0))


def _said(seen: Observed, status: dict[str, Any]) -> None:
    types = [c["type"] for c in status["conditions"]]
    assert len(types) == len(set(types)), "a condition twice"
    assert set(types) == CONDITIONS, f"conditions: {types}"
    words = told_by(status["summary"], status["conditions"]).words
    words = (*words[:-1], words[-1].replace("Pinned", "InSync"))  # said in the same situations
    if isinstance(seen.desired, Unknown) and seen.desired.since is None:
        words = words[:-1]  # what AliasInSync said stays said
    assert words in WORDS, f"law 6: no row of the truth table: {words}"
    for told in status["conditions"]:
        assert told["message"], f"{told['type']} says nothing"
        assert "None" not in told["message"], told["message"]


def _version(seen: Observed, revision: str) -> str | None:
    status = seen.owner.get("status") or {}
    listed = (*status.get("rejected", ()), *status.get("history", ()))
    return next((e["version"] for e in listed if e["revision"] == revision), None)
