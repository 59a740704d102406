"""A cluster in memory for tests of `plan`: it carries plans out and grows pods as told.

It keeps objects, resource versions and pods, and nothing else: what the API server really does
with an apply is shown by the integration tier. Objects are replaced, never changed in place, so
that whoever looked at one keeps what was seen.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from pennant_operator.decide.intent import Adopt, Apply, Create, Delete, Event, Plan
from pennant_operator.decide.plan import plan
from pennant_operator.decide.seen.observed import Desired, Images, Observed, RegistryFacts
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.seen.revision import Record, from_object
from pennant_operator.decide.target.ownership import controller_reference
from pennant_operator.decide.times import format_time
from pennant_testing.memory import managed_fields
from pennant_testing.memory.object_builders import IMAGES, NOW, REGISTRY, model_deployment, version
from pennant_testing.memory.scarcity import Scarcity
from pennant_testing.memory.simulated_pods import PodTemplate, becomes_ready

SLOTS = ("blue", "green")
REVISION = "pennant.dev/revision"
LABELS = {"app.kubernetes.io/managed-by": "pennant"}


class ConflictError(Exception):
    """The API server's 409."""


@dataclass(frozen=True)
class _Applied:
    """What was applied last, whose fields that made, and when."""

    manifest: dict[str, Any]
    fields: dict[str, Any]
    time: str


@dataclass
class Simulation:
    """One ModelDeployment, its children and its pods."""

    desired: Desired
    owner: dict[str, Any] = field(default_factory=model_deployment)
    now: datetime = NOW
    images: Images = IMAGES
    registry: RegistryFacts | None = REGISTRY
    children: dict[str, dict[str, Any]] = field(default_factory=dict)
    applied: dict[str, _Applied] = field(default_factory=dict)  # the last apply to each child
    records: dict[str, Record] = field(default_factory=dict)
    owners: dict[str, str | None] = field(default_factory=dict)  # of each record, its uid
    versions: dict[str, str] = field(default_factory=dict)  # of every revision there ever was
    pods: dict[str, list[PodFacts]] = field(default_factory=lambda: {s: [] for s in SLOTS})
    asked: dict[str, tuple[str, int]] = field(default_factory=dict)  # of the ReplicaSets
    refused: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(SLOTS, False))
    behaviour: dict[str, PodTemplate] = field(default_factory=dict)  # by model version
    lacks: Scarcity = field(default_factory=Scarcity)
    events: list[Event] = field(default_factory=list)
    writes: list[Any] = field(default_factory=list)
    counter: int = 1

    def observe(self) -> Observed:
        return Observed(
            owner=dict(self.owner),
            desired=self.desired,
            registry=self.registry,
            images=self.images,
            children=self.live(),
            records=self.own_records(),
            pods={slot: tuple(pods) for slot, pods in self.pods.items()},
        )

    def step(self, seconds: float = 1.0) -> Plan:
        """One reconcile, then the cluster's own work, then time passes."""
        found = plan(self.observe(), self.now)
        for write in found.writes:
            self.carry_out(write)
        if found.status is not None:
            self.owner = {**self.owner, "status": found.status}
        self.events += found.events
        self.work()
        self.now += timedelta(seconds=seconds)
        return found

    def run(self, steps: int = 8, seconds: float = 1.0) -> Plan:
        for _ in range(steps):
            found = self.step(seconds)
        return found

    def live(self) -> dict[str, dict[str, Any]]:
        """The children with their managedFields, and records that another one owns or nobody."""
        found = {key: self._managed(key, child) for key, child in self.children.items()}
        for revision in self.records.keys() - self.own_records().keys():
            record = self._record_object(revision)
            found[f"ControllerRevision/{record['metadata']['name']}"] = record
        return found

    def _record_object(self, revision: str) -> dict[str, Any]:
        name, uid = self.owner["metadata"]["name"], self.owners[revision]
        meta = {
            "name": f"{name}-{revision}",
            "resourceVersion": "1",
            "labels": {**LABELS, "pennant.dev/deployment": name, REVISION: revision},
            "ownerReferences": [controller_reference(name, uid)] if uid else [],
        }
        return {"kind": "ControllerRevision", "metadata": meta}

    def _managed(self, key: str, child: dict[str, Any]) -> dict[str, Any]:
        last = self.applied.get(key)
        if last is None or child["metadata"].get("uid") == "other":
            return child
        ours = last.fields
        if changed := not _says(child, last.manifest):
            ours = managed_fields.kept(ours, last.manifest, child)
        told = managed_fields.entries(ours, last.time, others=changed)
        return {**child, "metadata": {**child["metadata"], "managedFields": told}}

    def own_records(self) -> dict[str, Record]:
        """Of this ModelDeployment, not of a deleted one of its name."""
        uid = self.owner["metadata"]["uid"]
        return {r: x for r, x in self.records.items() if self.owners[r] == uid}

    # The API server: raises ConflictError.

    def carry_out(self, write: Any) -> None:
        self.writes.append(write)
        self.counter += 1
        match write:
            case Create():
                manifest = self._stamped(write.manifest)
                revision = manifest["metadata"]["labels"][REVISION]
                record = from_object(manifest)
                self.records.setdefault(revision, record)
                if self.owners.setdefault(revision, _owner(manifest)) != _owner(manifest):
                    raise ConflictError(revision)
                self.versions[revision] = record.version
            case Delete(kind="Pod"):
                for slot, pods in self.pods.items():
                    self.pods[slot] = [p for p in pods if p.uid != write.uid]
            case Delete(kind="ControllerRevision"):
                kept = {r: x for r, x in self.records.items() if x.uid != write.uid}
                self.records, self.owners = kept, {r: self.owners[r] for r in kept}
            case Delete():
                self._expect(f"{write.kind}/{write.name}", write.resource_version)
                del self.children[f"{write.kind}/{write.name}"]
            case Adopt():
                self._adopt(write)
            case Apply():
                self._apply(write)

    def _stamped(self, manifest: dict[str, Any]) -> dict[str, Any]:
        meta = {"uid": f"uid-{self.counter}", "resourceVersion": str(self.counter)}
        return {**manifest, "metadata": {**manifest["metadata"], **meta}}

    def _expect(self, key: str, resource_version: str | None) -> None:
        live = self.children.get(key)
        if resource_version is None:
            return
        if live is None or live["metadata"]["resourceVersion"] != resource_version:
            raise ConflictError(key)

    def _apply(self, write: Apply) -> None:
        manifest = self._stamped(write.manifest)
        key = f"{manifest['kind']}/{manifest['metadata']['name']}"
        self._expect(key, write.resource_version)
        live = self.children.get(key)
        if write.uid != (live["metadata"]["uid"] if live else None):
            raise ConflictError(key)
        manifest_sent = copy.deepcopy(write.manifest)
        tree = managed_fields.of_applied(manifest_sent)
        self.applied[key] = _Applied(manifest_sent, tree, format_time(self.now))
        generation = live["metadata"]["generation"] if live else 0
        changed = live is None or live.get("spec") != manifest.get("spec")
        manifest["metadata"]["generation"] = generation + changed
        if live is not None:
            manifest["metadata"]["uid"] = live["metadata"]["uid"]
            manifest["status"] = live.get("status", {})
        self.children[key] = manifest

    def _adopt(self, write: Adopt) -> None:
        key, uid = f"{write.kind}/{write.name}", write.references[-1]["uid"]
        if write.kind == "ControllerRevision":
            self.owners[write.name.removeprefix(f"{self.owner['metadata']['name']}-")] = uid
            return
        self._expect(key, write.resource_version)
        self._refer(key, list(write.references))

    def _refer(self, key: str, references: list[dict[str, Any]]) -> None:
        meta = {**self.children[key]["metadata"], "ownerReferences": references}
        meta["resourceVersion"] = str(self.counter)
        self.children[key] = {**self.children[key], "metadata": meta}

    def orphan(self) -> None:
        """The ModelDeployment is deleted with --cascade=orphan and created again."""
        self.recreate()
        for key in self.children:
            self._refer(key, [])
        self.owners = dict.fromkeys(self.owners)

    def recreate(self) -> None:
        """The ModelDeployment is deleted and created again at once."""
        self.counter += 1
        meta = {**self.owner["metadata"], "uid": f"uid-{self.counter}"}
        self.owner = {**self.owner, "metadata": meta, "status": {"observedGeneration": -1}}

    def aim(self, **said: str) -> None:
        """A person edits what has traffic: `selector`, `slot` beside it, `revision`, `since`."""
        if (service := self.children.get(f"Service/{self.owner['metadata']['name']}")) is None:
            return
        if service["metadata"].get("annotations", {}).get("pennant.dev/active-slot") not in SLOTS:
            return
        edited = copy.deepcopy(service)
        self.counter += 1
        edited["metadata"]["resourceVersion"] = str(self.counter)
        if (slot := said.pop("selector", None)) is not None:
            edited["spec"]["selector"]["pennant.dev/slot"] = slot
        for name, text in said.items():
            edited["metadata"]["annotations"][f"pennant.dev/active-{name}"] = text
        self.children[f"Service/{edited['metadata']['name']}"] = edited

    def dies(self, node: str | None) -> None:
        """A node answers nothing any more, nor do its pods. None: it is back."""
        self.lacks.dead = node

    def taint(self) -> None:
        """The pods of the dead node are deleted, and stay."""
        node = self.lacks.dead
        ends_by = self.now + timedelta(seconds=30)
        for slot, pods in self.pods.items():
            self.pods[slot] = [
                replace(p, ready=False, terminating=True, ends_by=p.ends_by or ends_by)
                if node is not None and p.node == node and p.evicted is None
                else p
                for p in pods
            ]

    def collect_garbage(self) -> None:
        """What deleted ModelDeployments left goes."""
        uid = self.owner["metadata"]["uid"]
        self.children = {k: c for k, c in self.children.items() if _owner(c) in {uid, None}}
        self.records = self.own_records()
        self.owners = {revision: self.owners[revision] for revision in self.records}

    def specify(self, **fields: Any) -> None:
        """A person changes the spec."""
        before, meta = self.owner["spec"], self.owner["metadata"]
        spec = {**before, **fields}
        meta = {**meta, "generation": meta["generation"] + (spec != before)}
        self.owner = {**self.owner, "metadata": meta, "spec": spec}

    def somebody_has(self, name: str | None) -> None:
        """An object of a child's name is somebody else's, as if ours had been deleted.

        None: none is any more.
        """
        others = [k for k, c in self.children.items() if c["metadata"]["uid"] == "other"]
        if name is None:
            self.children = {k: c for k, c in self.children.items() if k not in others}
        else:
            kind, plain = name.split("/")
            meta = {"name": plain, "uid": "other", "resourceVersion": "1", "generation": 1}
            self.children[name] = {"kind": kind, "metadata": meta, "spec": {}}

    def evict(self, slot: str) -> None:
        """A node ends the first pod of a slot."""
        for number, pod in enumerate(self.pods[slot]):
            if not pod.terminating and not pod.evicted:
                self.pods[slot][number] = replace(pod, ready=False, evicted="Evicted: disk full")
                return

    def edit(self, slot: str) -> dict[str, Any]:
        """The Deployment of a slot, to be changed by hand."""
        deployment = copy.deepcopy(self.deployment(slot))
        assert deployment is not None
        self.counter += 1
        deployment["metadata"]["resourceVersion"] = str(self.counter)
        deployment["metadata"]["generation"] += 1
        self.children[f"Deployment/{deployment['metadata']['name']}"] = deployment
        return deployment

    # The Deployment controller and the kubelets.

    def work(self) -> None:
        """What they do between two looks."""
        self.controllers()
        self.kubelets()
        self.report()

    def deployment(self, slot: str) -> dict[str, Any] | None:
        """The Deployment of a slot, unless it is somebody else's."""
        found = self.children.get(f"Deployment/{self.owner['metadata']['name']}-{slot}")
        return found if found and "labels" in found["metadata"] else None

    def controllers(self) -> None:
        """The ReplicaSets are told what the Deployments say now."""
        self.asked = {}
        for slot in SLOTS:
            if (deployment := self.deployment(slot)) is not None:
                labels = deployment["spec"]["template"]["metadata"]["labels"]
                self.asked[slot] = labels[REVISION], deployment["spec"]["replicas"]
                generation = deployment["metadata"]["generation"]
                self._report(deployment, observedGeneration=generation)

    def kubelets(self) -> None:
        """Pods come, become what they become, and leave; leaving takes until the next time."""
        there = sum(p.evicted is None for pods in self.pods.values() for p in pods)
        every = [p for pods in self.pods.values() for p in pods]
        lives = self.lacks.placed(every, self._lives)
        for slot, pods in self.pods.items():
            revision, size = self.asked.get(slot, ("", 0))
            living = [p for p in pods if not p.terminating and p.evicted is None]
            staying = [p for p in living if p.revision == revision][:size]
            grace = self.now + timedelta(seconds=30)
            leaving = [
                replace(p, terminating=True, ends_by=grace) for p in living if p not in staying
            ]
            leaving += [
                replace(p, ready=False)
                for p in pods
                if p.terminating and p.node == (self.lacks.dead or "none")
            ]
            wanted = size - len(staying)
            new = self.lacks.admitted(slot, wanted, there)
            there += new
            self.refused[slot] = new < wanted
            coming = [self._new(slot, len(staying) + n, revision) for n in range(new)]
            evicted = [p for p in pods if p.evicted is not None]
            alive = [self.lacks.answers(lives(p)) for p in (*staying, *coming)]
            self.pods[slot] = [*alive, *leaving, *evicted]

    def report(self) -> None:
        """The Deployments' status."""
        for slot in SLOTS:
            if (deployment := self.deployment(slot)) is not None:
                living = [p for p in self.pods[slot] if not p.terminating and p.evicted is None]
                ready = sum(p.ready for p in living)
                told = deployment.get("status", {}).get("conditions", [])
                if slot not in self.lacks.refuses:
                    told = self.lacks.reported(told, refused=self.refused[slot], now=self.now)
                counts = {"replicas": len(living), "readyReplicas": ready}
                self._report(deployment, **counts, conditions=told)

    def _report(self, deployment: dict[str, Any], **counts: Any) -> None:
        status = {**deployment.get("status", {}), **counts}
        if status != deployment.get("status"):
            self.counter += 1
            meta = {**deployment["metadata"], "resourceVersion": str(self.counter)}
            key = f"Deployment/{meta['name']}"
            self.children[key] = {**deployment, "metadata": meta, "status": status}

    def _new(self, slot: str, number: int, revision: str) -> PodFacts:
        self.counter += 1
        number = self.lacks.avoids_the_dead(number)
        return PodFacts(
            name=f"{slot}-{number}-{self.counter}",
            uid=f"pod-{self.counter}",
            resource_version=str(self.counter),
            revision=revision,
            node=self.lacks.node(number),
            created=self.now,
        )

    def _lives(self, pod: PodFacts) -> PodFacts:
        fresh = PodFacts(
            name=pod.name,
            uid=pod.uid,
            resource_version=pod.resource_version,
            revision=pod.revision,
            node=self.lacks.node(int(pod.name.split("-")[1])),
            created=pod.created,
            digest=f"sha-of-{self.versions[pod.revision]}",
        )
        return self.behaviour.get(self.versions[pod.revision], becomes_ready)(fresh)

    # What a person would look at.

    @property
    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.owner["status"]
        return status

    @property
    def active(self) -> tuple[str, str] | None:
        """Slot and revision that have the traffic, by the Service and the pods behind it."""
        service = self.children.get(f"Service/{self.owner['metadata']['name']}")
        sizes = self.sizes()
        ranks = {s: (any(map(_answers, self.pods[s])), sizes[s] > 0) for s in SLOTS}
        slot = leads_to(service, ranks)
        if service is None or slot not in SLOTS:
            return None
        told = service["metadata"]["annotations"]
        held = (self.deployment(slot) or {"metadata": {"labels": {}}})["metadata"]["labels"]
        revision = held.get(REVISION) or told["pennant.dev/active-revision"]
        return (slot, revision) if revision in self.versions else None  # edited by hand

    @property
    def serving(self) -> str | None:
        """The version that has the traffic."""
        return self.versions.get(self.active[1]) if self.active else None

    def message(self, kind: str) -> str:
        return next(str(c["message"]) for c in self.status["conditions"] if c["type"] == kind)

    def condition(self, kind: str) -> tuple[str, str]:
        found = next(c for c in self.status["conditions"] if c["type"] == kind)
        return found["status"], found["reason"]

    def sizes(self) -> dict[str, int]:
        held = {slot: self.deployment(slot) for slot in SLOTS}
        return {slot: d["spec"]["replicas"] if d else 0 for slot, d in held.items()}


def serving(number: int, **spec: Any) -> Simulation:
    """A version serves, and its bake is over."""
    sim = Simulation(version(number), owner=model_deployment(**spec))
    sim.run(6)
    sim.now += timedelta(minutes=5)
    sim.run(4)
    assert sim.serving == str(number)
    sim.writes.clear()
    sim.events.clear()
    return sim


def _says(live: Any, applied: Any) -> bool:
    """Everything that was applied stands there as it was."""
    if isinstance(applied, dict) and isinstance(live, dict):
        return all(name in live and _says(live[name], applied[name]) for name in applied)
    return bool(live == applied)


def leads_to(service: dict[str, Any] | None, rank: Mapping[str, tuple[bool, ...]]) -> str:
    """The slot that the selector leads to; what is written beside it, where that ranks higher."""
    if service is None:
        return "none"
    said = service["metadata"].get("annotations", {}).get("pennant.dev/active-slot", "none")
    selected = service["spec"].get("selector", {}).get("pennant.dev/slot", said)
    named = [slot for slot in (selected, said) if slot in SLOTS]
    return max(named, key=rank.__getitem__, default="none")


def _answers(pod: PodFacts) -> bool:
    return pod.ready and not pod.terminating and not pod.evicted


def _owner(obj: dict[str, Any]) -> str | None:
    return next((str(o["uid"]) for o in obj["metadata"].get("ownerReferences", ())), None)
