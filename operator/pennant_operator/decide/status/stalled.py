"""The status of a ModelDeployment about which nothing can be decided.

It says what a person must do. Nothing else is touched: what serves goes on serving, and whether
it answers is still told.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from pennant_operator.decide.goal import ownership
from pennant_operator.decide.intent import Plan
from pennant_operator.decide.seen.actions import in_force
from pennant_operator.decide.seen.memory import Memory, desired_of, desired_version, memory_of
from pennant_operator.decide.seen.observed import Absent, Observed, Refused
from pennant_operator.decide.seen.slot import slots_of
from pennant_operator.decide.seen.spec import watch_of
from pennant_operator.decide.seen.traffic import answering_pods
from pennant_operator.decide.status.condition_state import (
    FALSE,
    TRUE,
    ConditionState,
    stamped_condition,
)
from pennant_operator.decide.status.events import stalled_event
from pennant_operator.decide.vocabulary import Condition, Reason, Summary

REFUSED = {Reason.WRITE_REFUSED, Reason.NAME_CONFLICT}  # by the API server, on trying


def stalled_plan(observed: Observed, refused: Refused, now: datetime) -> Plan:
    """Stalled=True with the reason; Ready by what the children report."""
    memory = memory_of(observed.owner)
    version, answering = memory.serving.get("version"), _answering_pods(observed, now)
    message = refused.message + (f"; {_serving_name(version)} goes on serving" if answering else "")
    states: dict[Condition, ConditionState] = {
        Condition.READY: _ready_state(version, answering, refused),
        Condition.RECONCILING: (FALSE, Reason.SETTLED, "nothing is in progress"),
        Condition.STALLED: (TRUE, refused.reason, refused.message),
        Condition.ALIAS_IN_SYNC: (FALSE, refused.reason, message),
    }
    status = _status_with(observed, states, Summary.STALLED, answering, now)
    event = stalled_event(memory.status, status)
    return Plan(status=status, events=(event,) if event else ())


def still_refused(memory: Memory, status: dict[str, Any]) -> dict[str, Any]:
    """The status with which a rollout begins: where this spec was refused, that is said until the
    API server takes it, or each new try would tell of a rollout that is none (law 6)."""
    stalled = memory.condition(Condition.STALLED)
    refused = stalled.get("status") == TRUE and stalled["reason"] in REFUSED
    if not refused or stalled["observedGeneration"] != memory.generation:
        return status
    return {**status, **{field: memory.status[field] for field in ("conditions", "summary")}}


def hindered_plan(observed: Observed, error: str, now: datetime) -> Plan:
    """Reconciling=True while the API server fails on writes: work goes on, and none of it is done.

    What was in sync with what is desired is so still.
    """
    memory = memory_of(observed.owner)
    version, answering = memory.serving.get("version"), _answering_pods(observed, now)
    why = Refused(
        Reason.WRITE_FAILED,
        f"the API server fails on what is to be written ({error}): see its log, or the admission "
        "webhook that it names; it is tried again by itself",
    )
    states: dict[Condition, ConditionState] = {
        Condition.READY: _ready_state(version, answering, why),
        Condition.RECONCILING: (TRUE, why.reason, why.message),
        Condition.STALLED: (FALSE, Reason.NOT_STALLED, "nothing waits for a person"),
        Condition.ALIAS_IN_SYNC: (FALSE, why.reason, why.message),
    }
    synced = memory.condition(Condition.ALIAS_IN_SYNC)
    if synced and _still_in_sync(observed, synced["reason"]):
        states[Condition.ALIAS_IN_SYNC] = (synced["status"], synced["reason"], synced["message"])
    summary = memory.status.get("summary", Summary.WAITING)
    status = _status_with(observed, states, summary, answering, now)
    pinned = in_force(observed.actions, now).pin is not None
    desired = desired_of(memory, observed.desired, now, pinned=pinned)
    return Plan(status={**status, "desired": desired})


def _still_in_sync(observed: Observed, reason: str) -> bool:
    """Whether what AliasInSync says is so still, and of this spec."""
    desired, memory, watch = observed.desired, memory_of(observed.owner), watch_of(observed.owner)
    spec = observed.owner["spec"]
    as_asked = spec.get("serving") or {}, spec.get("environmentCheck")
    if isinstance(desired, Absent | Refused):
        return reason == desired.reason
    record = observed.records.get(memory.serving.get("revision", ""))
    if record is not None and record.created and record.with_spec(*as_asked) != record.revision:
        return False
    if watch is None or not memory.resolved_for(watch):
        return False
    return desired_version(desired) in {None, memory.serving.get("version")}


def _status_with(
    observed: Observed,
    states: dict[Condition, ConditionState],
    summary: str,
    answering: int,
    now: datetime,
) -> dict[str, Any]:
    """As it was, but for what is said now."""
    memory = memory_of(observed.owner)
    before, generation = memory.status, memory.generation
    known = before.get("conditions") or []
    return {
        **before,
        "observedGeneration": generation,
        "readyReplicas": answering,
        "summary": str(summary),
        "conditions": [
            stamped_condition(known, kind, *state, generation=generation, now=now)
            for kind, state in states.items()
        ],
    }


def write_refused(error: str) -> Refused:
    """What a person reads when the API server does not take a child."""
    return Refused(
        Reason.WRITE_REFUSED,
        f"the API server refuses what this spec asks for ({error}): change the field that it "
        "names, or ask the cluster's administrator; it is tried again by itself",
    )


def _ready_state(version: str | None, answering: int, why: Refused) -> ConditionState:
    if answering:
        return TRUE, Reason.SERVING, f"{_serving_name(version)} answers on {answering} pods"
    if version is None:
        return FALSE, Reason.NOTHING_SERVED_YET, f"no version has served yet: {why.message}"
    has = f"version {version} has the traffic and no pod that answers"
    until = "nothing is done about it until this is put right"
    return FALSE, Reason.NO_POD_READY, f"{has}; {until}: {why.message}"


def _serving_name(version: str | None) -> str:
    """After an adoption what has the traffic is seen before its version was ever told."""
    return f"version {version}" if version else "what has the traffic"


def _answering_pods(observed: Observed, now: datetime) -> int:
    """Ready pods behind our own Service; without it nothing reaches them."""
    name = observed.owner["metadata"]["name"]
    mine = replace(observed, children=ownership.owned_children(observed.children, observed.owner))
    service, slots = mine.children.get(f"Service/{name}"), slots_of(mine, name, now)
    return answering_pods(service, slots) if service else 0
