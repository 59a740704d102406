"""Assembles the whole next status, true once the moves are made."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pennant_operator.decide import candidate as candidates
from pennant_operator.decide import transitions
from pennant_operator.decide.conditions import conditions_of, summary
from pennant_operator.decide.goal import Goal
from pennant_operator.decide.memory import Memory, desired_of, question, resolved_of
from pennant_operator.decide.observed import Observed, Unknown
from pennant_operator.decide.phrases import Situation
from pennant_operator.decide.revision import Record
from pennant_operator.decide.times import format_time
from pennant_operator.decide.verdicts import Verdict, trouble_of
from pennant_operator.decide.vocabulary import (
    LABEL_DEPLOYMENT,
    LABEL_SLOT,
    NO_SLOT,
    Condition,
    Reason,
)
from pennant_operator.decide.world import Traffic, World


@dataclass(frozen=True)
class Step:
    """One pass over a healthy spec: what was seen, and what was decided so far."""

    observed: Observed
    world: World
    memory: Memory
    goal: Goal
    rejected: list[dict[str, Any]]
    verdict: Verdict | None
    records: dict[str, Record]
    now: datetime

    def version_of(self, revision: str) -> str:
        """The version of a revision; also where somebody deleted its record."""
        if revision in self.records:
            return self.records[revision].version
        told = (self.memory.status.get("serving") or {}, *self.memory.history)
        return next((str(t["version"]) for t in told if t.get("revision") == revision), "unknown")

    def image_of(self, revision: str) -> str | None:
        """What its pods run, as recorded; None where somebody deleted its record."""
        record = self.records.get(revision)
        image: str | None = record.container.get("image") if record else None
        return image

    def digest_of(self, revision: str) -> str | None:
        """The digest that its pods must have fetched: tagged when registered, else pinned."""
        record = self.records.get(revision)
        if record is not None and record.sha256 is not None:
            return record.sha256
        pins = self.observed.children.get(f"ConfigMap/{self.world.spec.name}-digests", {})
        pinned: str | None = (pins.get("data") or {}).get(revision)
        return pinned


def status_of(step: Step, traffic: Traffic | None) -> dict[str, Any]:
    """The status once traffic is as given."""
    world, spec = replace(step.world, traffic=traffic), step.world.spec
    fields: dict[str, Any] = {
        "resolved": resolved_of(step.memory, step.observed.desired, spec.watch),
        "desired": desired_of(step.memory, step.observed.desired, step.now),
        "serving": _serving(step, traffic),
        "candidate": _candidate(step, traffic),
        "rejected": step.rejected or None,
    }
    status: dict[str, Any] = {
        "observedGeneration": step.memory.generation,
        "selector": f"{LABEL_DEPLOYMENT}={spec.name},{LABEL_SLOT}={_slot(traffic)}",
        "url": f"http://{spec.name}.{spec.namespace}.svc",
        "replicas": world.active.size if world.active else 0,
        "readyReplicas": world.active.ready if world.active else 0,
        **{field: value for field, value in fields.items() if value is not None},
    }
    situation = _situation(step, world, status)
    status["summary"] = str(summary(situation))
    status["conditions"] = conditions_of(situation, step.memory.generation, step.now)
    if told := transitions.history(step.memory.status, status):
        status["history"] = told
    return status


def _slot(traffic: Traffic | None) -> str:
    return traffic.slot if traffic else NO_SLOT


def _serving(step: Step, traffic: Traffic | None) -> dict[str, Any] | None:
    if traffic is None:
        return None
    entry = {
        "version": step.version_of(traffic.revision),
        "revision": traffic.revision,
        "since": format_time(traffic.since),
    }
    digest = step.digest_of(traffic.revision)
    if digest is None and traffic.revision == step.goal.target:
        digest = getattr(step.verdict, "digest", None)  # this plan pins it
    told = {"digest": digest, "image": step.image_of(traffic.revision)}
    return {**entry, **{name: value for name, value in told.items() if value}}


def _candidate(step: Step, traffic: Traffic | None) -> dict[str, Any] | None:
    target = step.goal.target
    if target is None or target not in step.records:
        return None
    if traffic is not None and traffic.revision == target:
        return None
    return candidates.entry(
        step.memory,
        revision=target,
        version=step.records[target].version,
        image=step.image_of(target),
        slot=step.world.idle,
        replicas=step.world.spec.replicas,
        verdict=step.verdict,
        now=step.now,
    )


def _edited(step: Step, traffic: Traffic | None, status: dict[str, Any]) -> bool:
    """What has the traffic is not what the spec asks for, wherever an alias may have moved to."""
    spec, silent = step.world.spec, isinstance(step.observed.desired, Unknown)
    if traffic is None:
        return False
    if status.get("resolved") != question(spec.watch):
        return True
    serves, asked = step.version_of(traffic.revision), status.get("desired", {}).get("version")
    if silent and asked not in (None, serves):
        return True  # it was asked for, and nobody says where it is
    if spec.watch.version is not None and serves not in {spec.watch.version, "unknown"}:
        return True
    record = step.records.get(traffic.revision)
    if record is None or not record.created:  # nobody can tell of one that is lost, or very old
        return False
    return record.with_serving(spec.serving) != traffic.revision


def _withdrawn(step: Step, traffic: Traffic | None) -> bool:
    """The alias was removed and took the traffic with it, and nothing has it since."""
    if traffic is not None:
        return False
    if step.goal.released and (step.world.traffic or step.memory.status.get("serving")):
        return True
    return step.memory.said(Condition.READY).get("reason") == Reason.SCALED_DOWN


def _trouble(step: Step, world: World) -> str:
    active = world.active
    if active is None:
        return ""
    if active.size == 0 and step.memory.candidate:
        return "they answered nothing for a minute, and made room for the next revision"
    return trouble_of(active.running, active.shortage, evicted=active.evicted)


def pods_in_the_way(step: Step, candidate: dict[str, Any]) -> str:
    """Another revision's pods leave before the candidate's slot takes it."""
    idle = step.world.idle
    if candidate.get("revision") in {None, idle.revision} or idle.empty:
        return ""
    pods = [pod for pod in idle.pods or () if pod.evicted is None]
    left = [f"{pod.name} on {pod.node}" if pod.node else pod.name for pod in pods]
    whose = f"version {step.version_of(idle.revision)} has" if idle.revision else "it has"
    return f"{whose} pods there that end first{': ' * bool(left)}{', '.join(left[:3])}"


def _bakes_until(step: Step, world: World) -> datetime | None:
    if world.traffic is None or not world.baking(step.now):
        return None
    return world.traffic.bakes_until(world.spec.bake)


def _situation(step: Step, world: World, status: dict[str, Any]) -> Situation:
    traffic, candidate = world.traffic, status.get("candidate") or {}
    return Situation(
        spec=world.spec,
        desired=step.observed.desired,
        serving=(status.get("serving") or {}).get("version"),
        ready=world.active.ready if world.active else 0,
        trouble=_trouble(step, world),
        in_sync=traffic is not None and traffic.revision == step.goal.revision,
        candidate=candidate,
        room=pods_in_the_way(step, candidate),
        back=step.goal.back,
        parked=candidates.is_parked(candidate, candidate.get("revision"), step.now),
        verdict=step.verdict,
        edited=_edited(step, traffic, status),
        rejection=step.goal.rejection,
        withdrawn=_withdrawn(step, traffic),
        bakes_until=_bakes_until(step, world),
        before=step.memory.status.get("conditions") or [],
        same_spec=step.memory.same_spec,
    )
