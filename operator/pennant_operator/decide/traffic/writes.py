"""Turns moves into writes, in the order that keeps every intermediate state safe.

Records before the pods made from them, pins and pods before traffic. An object that already says
what it should is not written (law 7).
"""

from typing import Any

from pennant_operator.decide.intent import Apply, Create, CreateToken, Delete, Write
from pennant_operator.decide.manifests import render
from pennant_operator.decide.manifests.drift import due_apply, with_mark
from pennant_operator.decide.manifests.foreign_changes import admitted_paths, insistence_event
from pennant_operator.decide.manifests.rehearsal import TOKEN_KEY, rehearses
from pennant_operator.decide.moves import Moves, NextSlot
from pennant_operator.decide.seen.slot import Slot
from pennant_operator.decide.seen.traffic import Route
from pennant_operator.decide.step import Step
from pennant_operator.decide.times import format_time
from pennant_operator.decide.traffic import hand_over
from pennant_operator.decide.traffic.pins import next_pins
from pennant_operator.decide.vocabulary import (
    ANNOTATION_ACTIVE_REVISION,
    ANNOTATION_ACTIVE_SINCE,
    ANNOTATION_ACTIVE_SLOT,
    ANNOTATION_WARM_REVISION,
    NO_SLOT,
)


def writes_for(step: Step, moves: Moves) -> tuple[Write, ...]:
    """All writes of a plan, in order."""
    if not moves.slots and step.world.traffic is None:
        return ()
    used = {next_slot.revision for next_slot in moves.slots.values()}
    if moves.lobby:  # what serves is not to make way for what nobody would know in an outage
        used.add(step.goal.target or "")
    new = sorted(used & (step.records.keys() - step.observed.records.keys()))
    asking = any(rehearses(step.records[revision]) for revision in new)
    token = render.token_secret_of(step.world.spec)
    return (
        *([CreateToken(token, TOKEN_KEY)] if asking else ()),
        *(Create(render.controller_revision_of(step.world.spec, step.records[r])) for r in new),
        *_budget_and_config_writes(step, moves),
        *hand_over.ends_of_shares(step, moves),
        *(write for name in moves.slots for write in _slot_writes(step, name, moves.slots[name])),
        *_pin_writes(step),
        *_hand_over_writes(step, moves),
        *service_writes(step, moves),
        *hand_over.new_shares(step, moves),
        *hand_over.unwanted_deletions(step, moves),
        *_record_deletions(step, moves),
    )


def _budget_and_config_writes(step: Step, moves: Moves) -> list[Write]:
    spec, registry = step.world.spec, step.observed.registry
    used = [slot for slot, next_slot in moves.slots.items() if next_slot.revision]
    manifests = [render.disruption_budget_of(spec, slot) for slot in used]
    if registry is not None:
        manifests.append(render.registry_config_of(spec, registry))
    return [write for manifest in manifests for write in _writes_if_due(step, manifest)]


def _hand_over_writes(step: Step, moves: Moves) -> list[Write]:
    children = hand_over.wanted_children(step, moves)
    return [write for child in children for write in _writes_if_due(step, child)]


def _slot_writes(step: Step, name: str, next_slot: NextSlot) -> list[Write]:
    slot, record = step.world.slots[name], step.records.get(next_slot.revision)
    if record is None:
        return _writes_without_record(slot, next_slot)
    size = next_slot.size
    manifest = render.deployment_for_slot(step.world.spec, record, slot=name, replicas=size)
    careful = slot.revision != next_slot.revision or 0 in (slot.size, size)
    version = slot.resource_version if careful else None
    return _writes_if_due(step, manifest, version, insist=careful)


def _writes_without_record(slot: Slot, next_slot: NextSlot) -> list[Write]:
    """Nobody knows what the slot holds: what runs is left alone, what should end is deleted."""
    if slot.deployment is None or next_slot.size or slot.size == 0:
        return []
    meta = slot.deployment["metadata"]
    return [Delete("Deployment", meta["name"], meta["uid"], meta["resourceVersion"])]


def _pin_writes(step: Step) -> list[Write]:
    """Before traffic, for pods to come."""
    pins = next_pins(step)
    return [] if pins is None else _writes_if_due(step, render.digests_of(step.world.spec, pins))


def service_writes(step: Step, moves: Moves) -> list[Write]:
    """Where the traffic goes."""
    traffic, live = moves.traffic, step.world.service
    annotations = traffic.annotations(format_time(traffic.since)) if traffic else _NO_TRAFFIC
    slot = traffic.slot if traffic else NO_SLOT
    record = step.records.get(traffic.revision) if traffic else None
    route = traffic.route if traffic else Route.SLOT
    manifest = render.service_of(step.world.spec, slot, annotations, record, route)
    version = live["metadata"]["resourceVersion"] if live else None
    return _writes_if_due(step, manifest, version, insist=not _leads_there(manifest, live))


def _leads_there(manifest: dict[str, Any], live: dict[str, Any] | None) -> bool:
    """Whether selector and annotations say where the traffic should go."""
    if live is None:
        return False
    actual = live["metadata"].get("annotations", {})
    annotations = manifest["metadata"]["annotations"].items()
    selects: bool = live["spec"].get("selector") == manifest["spec"]["selector"]
    return selects and all(actual.get(name) == value for name, value in annotations)


def _record_deletions(step: Step, moves: Moves) -> list[Write]:
    """Records that no slot holds and the history no longer names."""
    memory = step.memory
    in_use: set[str | None] = {next_slot.revision for next_slot in moves.slots.values()}
    in_use |= {slot.revision for slot in step.world.slots.values() if slot.revision}
    in_use |= {entry["revision"] for entry in (*memory.history, *step.rejected)}
    in_use |= {step.goal.target, step.goal.revision, memory.candidate.get("revision")}
    return [
        Delete(
            "ControllerRevision",
            f"{step.world.spec.name}-{record.revision}",
            record.uid,
            record.resource_version,
        )
        for record in step.observed.records.values()
        if record.revision not in in_use
    ]


def _writes_if_due(
    step: Step,
    manifest: dict[str, Any],
    resource_version: str | None = None,
    *,
    insist: bool = False,
) -> list[Write]:
    """With `insist` for what the slots and the traffic depend on: that is left to nobody.

    Where somebody else is at it, by now perhaps more so, the write fails if they went on (law 11).
    What is ours alone is written whatever its controller counts in its status meanwhile.
    """
    live = step.observed.children.get(f"{manifest['kind']}/{manifest['metadata']['name']}")
    due = due_apply(manifest, live, step.now, insist=insist)
    if due is None:
        return []
    if live and (due.lost or manifest["kind"] == "ConfigMap"):
        resource_version = live["metadata"]["resourceVersion"]
    return [
        Apply(
            with_mark(manifest, due),
            uid=live["metadata"]["uid"] if live else None,
            resource_version=resource_version,
            admitted=admitted_paths(manifest, live),
            event=insistence_event(live, due) if live else None,
        )
    ]


_NO_TRAFFIC = {
    ANNOTATION_ACTIVE_SLOT: NO_SLOT,
    ANNOTATION_ACTIVE_REVISION: "",
    ANNOTATION_ACTIVE_SINCE: "",
    ANNOTATION_WARM_REVISION: "",
}
