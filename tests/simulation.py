"""A cluster in memory for tests of `plan`: it carries plans out and grows pods as told.

It keeps objects, resource versions and pods, and nothing else: what the API server really does
with an apply is shown by the integration tier.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from builders import IMAGES, NOW, REGISTRY, model_deployment

from pennant_operator.decide.intent import Apply, Create, Delete, Event, Plan
from pennant_operator.decide.observed import Desired, Observed
from pennant_operator.decide.plan import plan
from pennant_operator.decide.pods import Failure, PodFacts
from pennant_operator.decide.revision import Record, from_object

PodTemplate = Callable[[PodFacts], PodFacts]
VERSION_LABEL = "pennant.dev/revision"


def becomes_ready(pod: PodFacts) -> PodFacts:
    """A pod that fetched, loaded and answers."""
    return replace(
        pod, ready=True, scheduled=pod.created, fetched=pod.created, digest="sha-fetched"
    )


def fails(reason: str, *, container: str = "serve", attempts: int = 2) -> PodTemplate:
    """A pod whose container keeps failing for a reason."""

    def template(pod: PodFacts) -> PodFacts:
        failure = Failure(container, reason, f"{reason} happened", 1)
        fetched = pod.created if container == "serve" else None
        return replace(
            pod, scheduled=pod.created, fetched=fetched, attempts=attempts, failure=failure
        )

    return template


def stays_pending(pod: PodFacts) -> PodFacts:
    """A pod no node has room for."""
    return replace(pod, node=None, unschedulable="0/2 nodes are available: insufficient cpu")


@dataclass
class Simulation:
    """One ModelDeployment, its children and its pods."""

    desired: Desired
    owner: dict[str, Any] = field(default_factory=model_deployment)
    now: datetime = NOW
    children: dict[str, dict[str, Any]] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    pods: dict[str, list[PodFacts]] = field(default_factory=lambda: {"blue": [], "green": []})
    behaviour: dict[str, PodTemplate] = field(default_factory=dict)  # by model version
    events: list[Event] = field(default_factory=list)
    writes: list[Any] = field(default_factory=list)
    counter: int = 1

    def observe(self) -> Observed:
        return Observed(
            owner=copy.deepcopy(self.owner),
            desired=self.desired,
            registry=REGISTRY,
            images=IMAGES,
            children=copy.deepcopy(self.children),
            records=dict(self.records),
            pods={slot: tuple(pods) for slot, pods in self.pods.items()},
        )

    def step(self, seconds: float = 1.0) -> Plan:
        """One reconcile, then the cluster's own work, then time passes."""
        found = plan(self.observe(), self.now)
        for write in found.writes:
            self.carry_out(write)
        if found.status is not None:
            self.owner["status"] = copy.deepcopy(found.status)
        self.events += found.events
        self.work()
        self.now += timedelta(seconds=seconds)
        return found

    def run(self, steps: int = 8, seconds: float = 1.0) -> Plan:
        for _ in range(steps):
            found = self.step(seconds)
        return found

    def carry_out(self, write: Any) -> None:
        self.writes.append(write)
        self.counter += 1
        if isinstance(write, Delete):
            self.records = {r: x for r, x in self.records.items() if not write.name.endswith(r)}
            self.children.pop(f"{write.kind}/{write.name}", None)
            return
        manifest = copy.deepcopy(write.manifest)
        meta = manifest["metadata"]
        meta |= {"uid": f"uid-{self.counter}", "resourceVersion": str(self.counter)}
        if isinstance(write, Create):
            revision = meta["labels"][VERSION_LABEL]
            self.records.setdefault(revision, from_object(manifest, revision=revision))
            return
        self._apply(write, manifest)

    def _apply(self, write: Apply, manifest: dict[str, Any]) -> None:
        key = f"{manifest['kind']}/{manifest['metadata']['name']}"
        live = self.children.get(key)
        if write.resource_version is not None:
            assert live is not None
            assert live["metadata"]["resourceVersion"] == write.resource_version
        if live is not None:
            manifest["status"] = live.get("status", {})
        self.children[key] = manifest

    def work(self) -> None:
        """What kubelet and the Deployment controller do between two looks."""
        for slot, pods in self.pods.items():
            deployment = self.children.get(f"Deployment/{self.owner['metadata']['name']}-{slot}")
            if deployment is None:
                continue
            revision = deployment["metadata"]["labels"][VERSION_LABEL]
            size = deployment["spec"]["replicas"]
            if pods and (size == 0 or pods[0].revision != revision):
                gone = all(p.terminating for p in pods)
                self.pods[slot] = [] if gone else [replace(p, terminating=True) for p in pods]
            elif size:
                self.pods[slot] = [self._pod(slot, n, revision) for n in range(size)]
            living = [p for p in self.pods[slot] if not p.terminating]
            deployment["status"] = {
                "replicas": len(living),
                "readyReplicas": sum(p.ready for p in living),
            }

    def _pod(self, slot: str, number: int, revision: str) -> PodFacts:
        before = next((p for p in self.pods[slot] if p.name == f"{slot}-{number}"), None)
        pod = PodFacts(
            name=f"{slot}-{number}",
            uid=f"{slot}-{number}-{revision}",
            revision=revision,
            node=f"node-{number % 2 + 1}",
            created=before.created if before else self.now,
        )
        behaviour = self.behaviour.get(self.records[revision].version, becomes_ready)
        return behaviour(pod)

    @property
    def status(self) -> dict[str, Any]:
        return self.owner["status"]

    @property
    def serving(self) -> str | None:
        """The version that has the traffic, by the Service and the records alone."""
        service = self.children.get(f"Service/{self.owner['metadata']['name']}")
        if service is None:
            return None
        revision = service["metadata"]["annotations"]["pennant.dev/active-revision"]
        return self.records[revision].version if revision else None

    def condition(self, kind: str) -> tuple[str, str]:
        found = next(c for c in self.status["conditions"] if c["type"] == kind)
        return found["status"], found["reason"]

    def sizes(self) -> dict[str, int]:
        return {
            slot: self.children.get(f"Deployment/rec-{slot}", {"spec": {}})["spec"].get(
                "replicas", 0
            )
            for slot in ("blue", "green")
        }
