"""Turns moves into writes, in the order that keeps every intermediate state safe.

Records before the pods made from them, pins and pods before traffic. An object that already says
what it should is not written (law 7).
"""

from typing import Any

from pennant_operator.decide import render
from pennant_operator.decide.drift import drifted
from pennant_operator.decide.goal import Goal
from pennant_operator.decide.intent import Apply, Create, Delete, Write
from pennant_operator.decide.observed import Observed
from pennant_operator.decide.revision import Record
from pennant_operator.decide.status import Step
from pennant_operator.decide.strategies import Holding, Moves
from pennant_operator.decide.times import format_time
from pennant_operator.decide.verdicts import Passed
from pennant_operator.decide.vocabulary import (
    ANNOTATION_ACTIVE_REVISION,
    ANNOTATION_ACTIVE_SINCE,
    ANNOTATION_ACTIVE_SLOT,
    ANNOTATION_WARM_REVISION,
    NO_SLOT,
)
from pennant_operator.decide.world import Slot, World


def records_with(observed: Observed, world: World, goal: Goal) -> dict[str, Record]:
    """The recorded revisions, and the target's new record when nobody recorded it yet."""
    records, version = observed.records, goal.version
    if goal.target is None or goal.target in records or version is None:
        return records
    record = Record(
        revision=goal.target,
        model=version.name,
        version=version.version,
        source=version.source,
        sha256=version.sha256,
        manifest=render.deployment_of(world.spec, version, goal.target, observed.images),
        number=max((r.number for r in records.values()), default=0) + 1,
    )
    return {**records, goal.target: record}


def writes_for(step: Step, moves: Moves) -> tuple[Write, ...]:
    """All writes of a plan, in order."""
    if not moves.slots and step.world.traffic is None:
        return ()
    used = {holding.revision for holding in moves.slots.values() if holding.size}
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
    found = [render.disruption_budget_of(spec, slot) for slot in moves.slots]
    if registry is not None:
        found.append(render.registry_config_of(spec, registry))
    return [write for manifest in found for write in _apply(step, manifest)]


def _slot(step: Step, name: str, holding: Holding) -> list[Write]:
    slot, record = step.world.slots[name], step.records.get(holding.revision)
    if record is None:
        return _without_record(slot, holding)
    manifest = render.for_slot(record, name=step.world.spec.name, slot=name, replicas=holding.size)
    careful = slot.revision != holding.revision or holding.size == 0
    return _apply(step, manifest, slot.resource_version if careful else None)


def _without_record(slot: Slot, holding: Holding) -> list[Write]:
    """Somebody deleted the record: what runs is left alone, what should end is deleted."""
    if slot.deployment is None or holding.size or slot.size == 0:
        return []
    meta = slot.deployment["metadata"]
    return [Delete("Deployment", meta["name"], meta["uid"], meta["resourceVersion"])]


def _pin(step: Step) -> list[Write]:
    """Bytes nobody tagged are pinned as the candidate's pods fetched them, before traffic."""
    verdict, target, name = step.verdict, step.goal.target, step.world.spec.name
    if not isinstance(verdict, Passed) or verdict.digest is None or target is None:
        return []
    if step.records[target].sha256 is not None:
        return []
    pins = step.observed.children.get(f"ConfigMap/{name}-digests", {}).get("data") or {}
    kept = {revision: pin for revision, pin in pins.items() if revision in step.records}
    return _apply(step, render.digests_of(step.world.spec, {**kept, target: verdict.digest}))


def _service(step: Step, moves: Moves) -> list[Write]:
    traffic, live = moves.traffic, step.world.service
    annotations = traffic.annotations(format_time(traffic.since)) if traffic else _NO_TRAFFIC
    slot = traffic.slot if traffic else NO_SLOT
    manifest = render.service_of(step.world.spec, slot, annotations)
    return _apply(step, manifest, live["metadata"]["resourceVersion"] if live else None)


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
    step: Step, manifest: dict[str, Any], resource_version: str | None = None
) -> list[Write]:
    key = f"{manifest['kind']}/{manifest['metadata']['name']}"
    live = step.observed.children.get(key)
    if live is not None and not drifted(manifest, live):
        return []
    return [Apply(manifest, force=live is not None, resource_version=resource_version)]


_NO_TRAFFIC = {
    ANNOTATION_ACTIVE_SLOT: NO_SLOT,
    ANNOTATION_ACTIVE_REVISION: "",
    ANNOTATION_ACTIVE_SINCE: "",
    ANNOTATION_WARM_REVISION: "",
}
