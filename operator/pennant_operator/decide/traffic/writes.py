"""Turns moves into writes, in the order that keeps every intermediate state safe.

Records before the pods made from them, pins and pods before traffic. An object that already says
what it should is not written (law 7).
"""

from typing import Any

from pennant_operator.decide.intent import Apply, Create, Delete, Write
from pennant_operator.decide.manifests import render
from pennant_operator.decide.manifests.drift import due, marked
from pennant_operator.decide.manifests.others import admitted, insisted
from pennant_operator.decide.moves import Holding, Moves
from pennant_operator.decide.seen.world import Slot
from pennant_operator.decide.step import Step
from pennant_operator.decide.times import format_time
from pennant_operator.decide.verdict import Passed
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
    used = {holding.revision for holding in moves.slots.values()}
    new = sorted(used & (step.records.keys() - step.observed.records.keys()))
    return (
        *(Create(render.record_of(step.world.spec, step.records[r])) for r in new),
        *_surroundings(step, moves),
        *(w for name, holding in moves.slots.items() for w in _slot(step, name, holding)),
        *_pin(step),
        *_service(step, moves),
        *_forgotten(step, moves),
    )


def _surroundings(step: Step, moves: Moves) -> list[Write]:
    spec, registry = step.world.spec, step.observed.registry
    held = [slot for slot, holding in moves.slots.items() if holding.revision]
    found = [render.disruption_budget_of(spec, slot) for slot in held]
    if registry is not None:
        found.append(render.registry_config_of(spec, registry))
    return [write for manifest in found for write in _apply(step, manifest)]


def _slot(step: Step, name: str, holding: Holding) -> list[Write]:
    slot, record = step.world.slots[name], step.records.get(holding.revision)
    if record is None:
        return _without_record(slot, holding)
    manifest = render.for_slot(step.world.spec, record, slot=name, replicas=holding.size)
    careful = slot.revision != holding.revision or 0 in (slot.size, holding.size)
    version = slot.resource_version if careful else None
    return _apply(step, manifest, version, insist=careful)


def _without_record(slot: Slot, holding: Holding) -> list[Write]:
    """Nobody knows what the slot holds: what runs is left alone, what should end is deleted."""
    if slot.deployment is None or holding.size or slot.size == 0:
        return []
    meta = slot.deployment["metadata"]
    return [Delete("Deployment", meta["name"], meta["uid"], meta["resourceVersion"])]


def _pin(step: Step) -> list[Write]:
    """Bytes nobody tagged are pinned as the first pods fetched them, before traffic."""
    name, slots = step.world.spec.name, step.world.slots.values()
    new = {r: d for r, d in _fetched(step).items() if r and d and step.digest_of(r) is None}
    if not new:
        return []
    pins = step.observed.children.get(f"ConfigMap/{name}-digests", {}).get("data") or {}
    alive = step.records.keys() | {slot.revision for slot in slots}
    kept = {revision: pin for revision, pin in pins.items() if revision in alive}
    return _apply(step, render.digests_of(step.world.spec, {**kept, **new}))


def _fetched(step: Step) -> dict[str | None, str | None]:
    """What the candidate's pods agreed on, and what those with traffic did, if the pin is lost."""
    found: dict[str | None, str | None] = {}
    if step.world.traffic is not None and step.world.active is not None:
        digests = {pod.digest for pod in step.world.active.running}
        if len(digests) == 1:
            found[step.world.traffic.revision] = digests.pop()
    if isinstance(step.verdict, Passed):
        found[step.goal.target] = step.verdict.digest
    return found


def _service(step: Step, moves: Moves) -> list[Write]:
    traffic, live = moves.traffic, step.world.service
    annotations = traffic.annotations(format_time(traffic.since)) if traffic else _NO_TRAFFIC
    slot = traffic.slot if traffic else NO_SLOT
    record = step.records.get(traffic.revision) if traffic else None
    manifest = render.service_of(step.world.spec, slot, annotations, record)
    version = live["metadata"]["resourceVersion"] if live else None
    return _apply(step, manifest, version, insist=not _leads_there(manifest, live))


def _leads_there(manifest: dict[str, Any], live: dict[str, Any] | None) -> bool:
    """Whether selector and annotations say where the traffic should go."""
    if live is None:
        return False
    said = live["metadata"].get("annotations", {})
    told = manifest["metadata"]["annotations"].items()
    selects: bool = live["spec"].get("selector") == manifest["spec"]["selector"]
    return selects and all(said.get(name) == value for name, value in told)


def _forgotten(step: Step, moves: Moves) -> list[Write]:
    """Records that no slot holds and the history no longer names."""
    memory = step.memory
    kept: set[str | None] = {holding.revision for holding in moves.slots.values()}
    kept |= {slot.revision for slot in step.world.slots.values() if slot.revision}
    kept |= {entry["revision"] for entry in (*memory.history, *step.rejected)}
    kept |= {step.goal.target, step.goal.revision, memory.candidate.get("revision")}
    return [
        Delete(
            "ControllerRevision",
            f"{step.world.spec.name}-{record.revision}",
            record.uid,
            record.resource_version,
        )
        for record in step.observed.records.values()
        if record.revision not in kept
    ]


def _apply(
    step: Step,
    manifest: dict[str, Any],
    resource_version: str | None = None,
    *,
    insist: bool = False,
) -> list[Write]:
    """With `insist` for what the slots and the traffic depend on: that is left to nobody."""
    live = step.observed.children.get(f"{manifest['kind']}/{manifest['metadata']['name']}")
    found = due(manifest, live, step.now, insist=insist)
    if found is None:
        return []
    return [
        Apply(
            marked(manifest, found),
            uid=live["metadata"]["uid"] if live else None,
            resource_version=resource_version,
            admitted=admitted(manifest, live),
            event=insisted(live, found) if live else None,
        )
    ]


_NO_TRAFFIC = {
    ANNOTATION_ACTIVE_SLOT: NO_SLOT,
    ANNOTATION_ACTIVE_REVISION: "",
    ANNOTATION_ACTIVE_SINCE: "",
    ANNOTATION_WARM_REVISION: "",
}
