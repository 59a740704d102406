"""The records of revisions: those there are, a new one for a new target, and lost ones again.

A slot whose record somebody deleted still holds what was recorded: its own Deployment. Rendering
it today instead could roll what serves (law 5).
"""

from typing import Any

from pennant_operator.decide.goal.goal import Goal
from pennant_operator.decide.manifests import render
from pennant_operator.decide.manifests.environment import locked_in
from pennant_operator.decide.seen.observed import Observed
from pennant_operator.decide.seen.revision import Record
from pennant_operator.decide.seen.slot import Slot
from pennant_operator.decide.seen.spec import Spec
from pennant_operator.decide.seen.world import World
from pennant_operator.decide.vocabulary import (
    ANNOTATION_MODEL,
    ANNOTATION_MODEL_VERSION,
    FETCH,
    LABEL_REVISION,
)


def records_with(observed: Observed, world: World, goal: Goal) -> dict[str, Record]:
    """The recorded revisions, those the slots hold, and the target's."""
    records, version = dict(observed.records), goal.start or goal.version
    for slot in world.slots.values():
        if slot.revision is not None and slot.revision not in records:
            records[slot.revision] = _recovered_record(slot, slot.revision, world.spec)
    if goal.target is None or goal.target in records or version is None:
        return records
    index = observed.registry.index if observed.registry else None
    records[goal.target] = Record(
        revision=goal.target,
        model=version.name,
        version=version.version,
        source=version.source,
        sha256=version.sha256,
        manifest=render.deployment_of(world.spec, version, goal.target, observed.images, index),
        number=max((r.number for r in records.values()), default=0) + 1,
        registry=world.spec.watch.registry,
        created=version.created,
        registered=version.registered,
        image=version.image,
        environment=version.environment,
    )
    return records


def _recovered_record(slot: Slot, revision: str, spec: Spec) -> Record:
    assert slot.deployment is not None
    spec_of_slot = {k: v for k, v in slot.deployment["spec"].items() if k != "replicas"}
    annotations = spec_of_slot["template"]["metadata"].get("annotations", {})
    env = _fetch_environment(spec_of_slot["template"]["spec"])
    return Record(
        revision=revision,
        model=annotations.get(ANNOTATION_MODEL, spec.watch.model),
        version=annotations.get(ANNOTATION_MODEL_VERSION, "unknown"),
        source=env.get("PENNANT_MODEL_SOURCE", ""),
        sha256=env.get("PENNANT_MODEL_SHA256"),
        environment=locked_in(env),
        manifest={
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": render.child_metadata(spec, "", **{LABEL_REVISION: revision}),
            "spec": spec_of_slot,
        },
    )


def _fetch_environment(pod: dict[str, Any]) -> dict[str, str]:
    fetch = [c for c in pod.get("initContainers", ()) if c["name"] == FETCH]
    return {e["name"]: e["value"] for c in fetch for e in c.get("env", ()) if "value" in e}
