"""Assembles the whole next status, true once the moves are made."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from pennant_operator.decide.candidate import attempts
from pennant_operator.decide.candidate.answers import answers_entry
from pennant_operator.decide.candidate.canary import hindrance
from pennant_operator.decide.candidate.canary_steps import canary_entry
from pennant_operator.decide.candidate.mirror import mirror_entry
from pennant_operator.decide.candidate.recreating import hand_over_message
from pennant_operator.decide.candidate.roll import answers_in_roll
from pennant_operator.decide.candidate.room import pods_in_the_way
from pennant_operator.decide.candidate.trouble import serving_trouble
from pennant_operator.decide.goal.brake import before_brake_of
from pennant_operator.decide.goal.gates import AskedGate
from pennant_operator.decide.goal.hold import hold_entry
from pennant_operator.decide.goal.line import line_entry
from pennant_operator.decide.seen.memory import approved_of, desired_of, resolved_entry, resolved_of
from pennant_operator.decide.seen.observed import Unknown
from pennant_operator.decide.seen.strategy import StrategyName
from pennant_operator.decide.seen.traffic import Route, Traffic
from pennant_operator.decide.seen.world import World
from pennant_operator.decide.status.conditions import conditions_of, summary_of
from pennant_operator.decide.status.events import history_with
from pennant_operator.decide.status.messages import Situation
from pennant_operator.decide.step import Step
from pennant_operator.decide.times import format_time
from pennant_operator.decide.verdict import Passed
from pennant_operator.decide.vocabulary import (
    LABEL_DEPLOYMENT,
    LABEL_SLOT,
    NO_SLOT,
    Condition,
    Reason,
)


def status_of(step: Step, traffic: Traffic | None) -> dict[str, Any]:
    """The status once traffic is as given."""
    world, spec = replace(step.world, traffic=traffic), step.world.spec
    fields: dict[str, Any] = {
        "resolved": resolved_of(step.memory, step.observed.desired, spec.watch),
        "desired": desired_of(
            step.memory, step.observed.desired, step.now, pinned=spec.watch.pinned_by is not None
        ),
        "serving": _serving_entry(step, traffic),
        "alongside": _alongside_entry(step, traffic),
        "candidate": _candidate_entry(step, traffic),
        "canary": canary_entry(step, traffic),
        "answers": _answers_entry(step, traffic),
        "mirror": mirror_entry(step, traffic),
        "rejected": step.rejected or None,
        "hold": hold_entry(step.goal.registry_hold),
        "approved": approved_of(step.memory, step.observed.desired),
        "action": step.memory.untold_action(step.observed.actions),
        "gates": [_gate_entry(gate) for gate in step.goal.gates] or None,
        "line": _line_entry(step),
        "beforeBrake": before_brake_of(step.observed, step.memory, spec.watch, step.now),
    }
    status: dict[str, Any] = {
        "observedGeneration": step.memory.generation,
        "selector": _selector(spec.name, traffic, fields["canary"] or {}),
        "url": f"http://{spec.name}.{spec.namespace}.svc",
        "replicas": sum(slot.size for slot in world.with_traffic),
        "readyReplicas": sum(slot.ready for slot in world.with_traffic),
        **{field: value for field, value in fields.items() if value is not None},
    }
    situation = _situation(step, world, status)
    status["summary"] = str(summary_of(situation))
    status["conditions"] = conditions_of(situation, step.memory.generation, step.now)
    if history := history_with(step.memory.status, status):
        status["history"] = history
    return status


def _selector(name: str, traffic: Traffic | None, canary: dict[str, Any]) -> str:
    """Of the pods that answer; never empty: an autoscaler would count nobody's for it."""
    if "weight" in canary or (traffic is not None and traffic.route is Route.BOTH):
        return f"{LABEL_DEPLOYMENT}={name}"
    return f"{LABEL_DEPLOYMENT}={name},{LABEL_SLOT}={traffic.slot if traffic else NO_SLOT}"


def _alongside_entry(step: Step, traffic: Traffic | None) -> dict[str, Any] | None:
    """What has a part of the traffic beside what serves, and since when."""
    if traffic is None or traffic.alongside is None:
        return None
    before = step.memory.alongside
    if before.get("revision") == traffic.alongside:
        return before
    return {
        "version": step.version_of(traffic.alongside),
        "revision": traffic.alongside,
        "since": format_time(step.now),
    }


def _answers_entry(step: Step, traffic: Traffic | None) -> dict[str, Any] | None:
    rolls = traffic is not None and traffic.alongside is not None
    return (answers_in_roll(step) if rolls else None) or answers_entry(step, traffic)


def _serving_entry(step: Step, traffic: Traffic | None) -> dict[str, Any] | None:
    if traffic is None:
        return None
    entry = {
        "version": step.version_of(traffic.revision),
        "revision": traffic.revision,
        "since": format_time(traffic.since),
    }
    digest = step.digest_of(traffic.revision)
    environment = step.environment_of(traffic.revision)
    if isinstance(step.verdict, Passed) and traffic.revision == step.goal.target:
        # This plan pins what is not pinned yet.
        digest, environment = digest or step.verdict.digest, environment or step.verdict.environment
    optional = {
        "digest": digest,
        "environment": environment.digest if environment else None,
        "image": step.image_of(traffic.revision),
    }
    return {**entry, **{name: value for name, value in optional.items() if value}}


def _line_entry(step: Step) -> dict[str, Any] | None:
    if not step.goal.in_line or step.goal.revision is None:
        return None
    return line_entry(step.observed, step.memory, step.goal.revision, step.now)


def _gate_entry(gate: AskedGate) -> dict[str, Any]:
    result = gate.result
    entry = {"gate": result.gate, "result": str(result.result)}
    optional = {
        "value": result.value,
        "bound": result.bound,
        "message": result.message,
        "registry": gate.registry,
    }
    return {**entry, **{name: value for name, value in optional.items() if value}}


def _candidate_entry(step: Step, traffic: Traffic | None) -> dict[str, Any] | None:
    target = step.goal.target
    if target is None or target not in step.records:
        return None
    if traffic is not None and traffic.revision == target:
        return None
    return attempts.candidate_entry(
        step.memory,
        revision=target,
        version=step.records[target].version,
        image=step.image_of(target),
        slot=step.world.idle,
        replicas=step.world.asked,
        verdict=step.verdict,
        now=step.now,
    )


def _is_edited(step: Step, traffic: Traffic | None, status: dict[str, Any]) -> bool:
    """What has the traffic is not what the spec asks for, wherever an alias may have moved to."""
    spec, silent = step.world.spec, isinstance(step.observed.desired, Unknown)
    if traffic is None:
        return False
    if status.get("resolved") != resolved_entry(spec.watch):
        return True
    serves, asked = step.version_of(traffic.revision), status.get("desired", {}).get("version")
    if silent and asked not in (None, serves) and step.goal.registry_hold is None:
        return True  # it was asked for, and nobody says where it is
    if spec.watch.version is not None and serves not in {spec.watch.version, "unknown"}:
        return True
    record = step.records.get(traffic.revision)
    if record is None or not record.created:  # nobody can tell of one that is lost, or very old
        return False
    return record.with_spec(spec.serving, spec.environment_check) != traffic.revision


def _is_withdrawn(step: Step, traffic: Traffic | None) -> bool:
    """The alias was removed and took the traffic with it, and nothing has it since."""
    if traffic is not None:
        return False
    if step.goal.released and (step.world.traffic or step.memory.status.get("serving")):
        return True
    return step.memory.condition(Condition.READY).get("reason") == Reason.SCALED_DOWN


def _serving_trouble(step: Step, world: World) -> str:
    active = world.active
    if active is None:
        return ""
    if active.size == 0 and _held_up_since(step, world):
        comes = step.goal.target not in {None, world.traffic and world.traffic.revision}
        return "they made way for it" if comes else "once the pods of what was tried have ended"
    if active.size == 0 and step.memory.candidate:
        return "they answered nothing for a minute, and made room for the next revision"
    return serving_trouble(active.running, active.shortage, evicted=active.evicted)


def _held_up_since(step: Step, world: World) -> str:
    """Since when nothing answers and requests wait in the lobby; empty where they do not."""
    if world.traffic is None or world.traffic.route is not Route.LOBBY:
        return ""
    ready = step.memory.condition(Condition.READY)
    begun = ready.get("lastTransitionTime") if ready.get("status") == "False" else None
    return begun or format_time(step.now)


def _bakes_until(step: Step, world: World) -> datetime | None:
    if world.traffic is None or not world.baking(step.now):
        return None
    return world.traffic.bakes_until(world.spec.bake)


def _is_missing(step: Step) -> bool:
    """What was said stands until the registry was asked by this process."""
    if step.observed.serving_missing is not None:
        return step.observed.serving_missing
    before = step.memory.condition(Condition.ALIAS_IN_SYNC).get("reason")
    return bool(before == Reason.SERVING_VERSION_MISSING)


def _line_of(step: Step, status: dict[str, Any]) -> dict[str, Any]:
    """Its place, and how many may come up at once."""
    registry, line = step.observed.registry, status.get("line")
    return {**line, "limit": registry.max_rollouts} if line and registry else {}


def _situation(step: Step, world: World, status: dict[str, Any]) -> Situation:
    traffic, candidate = world.traffic, status.get("candidate") or {}
    return Situation(
        spec=world.spec,
        desired=step.observed.desired,
        serving=(status.get("serving") or {}).get("version"),
        ready=sum(slot.ready for slot in world.with_traffic),
        alongside=status.get("alongside") or {},
        alongside_ready=world.idle.ready if world.on_both else 0,
        rolls=world.spec.strategy.name is StrategyName.ROLLING,
        missing=traffic is not None and _is_missing(step),
        trouble=_serving_trouble(step, world),
        in_sync=traffic is not None and traffic.revision == step.goal.revision,
        candidate=candidate,
        room=pods_in_the_way(step, candidate),
        hand_over=hand_over_message(step, world) if candidate else "",
        held_up=_held_up_since(step, world),
        back=step.goal.back,
        start=step.goal.start is not None,
        parked=attempts.is_parked(candidate, candidate.get("revision"), step.now),
        verdict=step.verdict,
        edited=_is_edited(step, traffic, status),
        rejection=step.goal.rejection,
        registry_hold=step.goal.registry_hold,
        gates=step.goal.gates,
        answers=status.get("answers") or {},
        canary=status.get("canary") or {},
        hindrance=hindrance(step) if traffic == step.world.traffic else "",
        braked=step.goal.braked,
        line=_line_of(step, status),
        withdrawn=_is_withdrawn(step, traffic),
        bakes_until=_bakes_until(step, world),
        before=step.memory.status.get("conditions") or [],
        same_spec=step.memory.same_spec,
    )
