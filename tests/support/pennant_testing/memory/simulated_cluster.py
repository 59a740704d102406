"""A cluster in memory for tests of `plan`: it carries plans out and grows pods as told.

It keeps objects, resource versions and pods, and nothing else: what the API server really does
with an apply is shown by the integration tier.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pennant_operator.decide.intent import Plan
from pennant_operator.decide.plan import plan, wanted_reports
from pennant_operator.decide.seen.actions import in_force, parse_actions
from pennant_operator.decide.seen.observed import (
    Absent,
    Desired,
    GateFacts,
    ModelVersion,
    Observed,
    Unknown,
    Unresolved,
)
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_testing.memory.cluster_state import REVISION, SLOTS
from pennant_testing.memory.object_builders import model_deployment, version
from pennant_testing.memory.simulated_answers import SimulatedAnswers
from pennant_testing.memory.simulated_controllers import SimulatedControllers
from pennant_testing.memory.simulated_incidents import SimulatedIncidents
from pennant_testing.memory.simulated_pods import PodTemplate, becomes_ready


class Simulation(SimulatedIncidents, SimulatedControllers, SimulatedAnswers):
    """The whole of it, reconcile by reconcile."""

    def observe(self) -> Observed:
        seen = Observed(
            owner=dict(self.owner),
            desired=self.answer(self.actions),
            registry=self.registry,
            images=self.images,
            children=self.live(),
            records=self.own_records(),
            gate_facts=self._gate_facts(),
            last_good=self.last_good,
            holds=self.holds,
            turn=self.turn,
            sent=self.sent,
            actions=parse_actions(self.actions.values()),
            actors_checked=self.actors_checked,
            pods={slot: tuple(pods) for slot, pods in self.pods.items()},
        )
        if not self.answers:
            return seen
        return replace(seen, reports=self.reported(wanted_reports(seen, self.now)))

    def answer(self, actions: Mapping[str, dict[str, Any]]) -> Desired:
        """What the registry says to an operator that knows these RolloutActions."""
        pin = in_force(parse_actions(actions.values()), self.now).pin
        about_versions = self.desired if isinstance(self.desired, ModelVersion) else None
        if pin is None or (about_versions and about_versions.version == pin.version):
            return self.desired
        if isinstance(self.desired, Unknown | Unresolved) or (
            isinstance(self.desired, Absent) and self.desired.reason == "VersionNotFound"
        ):
            return self.desired
        return version(str(pin.version), tag=pin.version != "8")

    def step(self, seconds: float = 1.0) -> Plan:
        """One reconcile, then the cluster's own work, then time passes."""
        decision = plan(self.observe(), self.now)
        for write in decision.writes:
            self.carry_out(write)
        if decision.status is not None:
            self.owner = {**self.owner, "status": decision.status}
        for report in decision.reports:
            self.report_on(report)
        self.events += decision.events
        self.work()
        self.now += timedelta(seconds=seconds)
        return decision

    def run(self, steps: int = 8, seconds: float = 1.0) -> Plan:
        for _ in range(steps):
            decision = self.step(seconds)
        return decision

    def _gate_facts(self) -> GateFacts | None:
        """None while the registry has not answered what gates ask of the desired version."""
        if not isinstance(self.desired, ModelVersion) or self.desired.version not in self.facts:
            return None
        return GateFacts(self.facts[self.desired.version], self.facts.get(self.serving or ""))

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
        annotations = service["metadata"]["annotations"]
        labels = (self.deployment(slot) or {"metadata": {"labels": {}}})["metadata"]["labels"]
        revision = labels.get(REVISION) or annotations["pennant.dev/active-revision"]
        return (slot, revision) if revision in self.versions else None  # edited by hand

    @property
    def serving(self) -> str | None:
        """The version that has the traffic."""
        return self.versions.get(self.active[1]) if self.active else None

    def message(self, kind: str) -> str:
        return next(str(c["message"]) for c in self.status["conditions"] if c["type"] == kind)

    def condition(self, kind: str) -> tuple[str, str]:
        condition = next(c for c in self.status["conditions"] if c["type"] == kind)
        return condition["status"], condition["reason"]

    def sizes(self) -> dict[str, int]:
        deployments = {slot: self.deployment(slot) for slot in SLOTS}
        return {slot: d["spec"]["replicas"] if d else 0 for slot, d in deployments.items()}


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


def alias_moved(to: int = 8, pods: PodTemplate = becomes_ready, **spec: Any) -> Simulation:
    """Version 7 serves, and the alias points at another one now, whose pods become that."""
    sim = serving(7, **spec)
    sim.behaviour[str(to)] = pods
    sim.desired = version(to)
    return sim


def leads_to(service: dict[str, Any] | None, rank: Mapping[str, tuple[bool, ...]]) -> str:
    """The slot that the selector leads to; what is written beside it, where that ranks higher."""
    if service is None:
        return "none"
    written = service["metadata"].get("annotations", {}).get("pennant.dev/active-slot", "none")
    selected = service["spec"].get("selector", {}).get("pennant.dev/slot", written)
    named = [slot for slot in (selected, written) if slot in SLOTS]
    return max(named, key=rank.__getitem__, default="none")


def _answers(pod: PodFacts) -> bool:
    return pod.ready and not pod.terminating and not pod.evicted
