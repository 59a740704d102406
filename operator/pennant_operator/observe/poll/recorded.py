"""What a ModelDeployment's own records say of the version that a registry points at.

So a restart need not ask the registry again about a thousand versions that did not move. Nobody
else's records count: whoever may write in one namespace could else choose what another one runs.
"""

from dataclasses import dataclass

from pennant_operator.decide.registry.brake import Position, RecordedBrake, position_before
from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.cluster.children import own_records
from pennant_operator.observe.cluster.store import Key, Store


@dataclass(frozen=True)
class Pointed:
    """Which version a watch is at: numbers are not used twice while a model is there."""

    registered: int  # when the model was made
    version: str


def recorded(store: Store, key: Key, watch: Watch, at: Pointed) -> ModelVersion | None:
    """That version as it was resolved at first contact; None where this key has not run it."""
    owner = store.owner(key)
    if owner is None or not at.registered:
        return None
    wanted = (watch.registry, watch.model, at.version, at.registered)
    for record in own_records(store, key, owner["metadata"]["uid"]):
        if isinstance(record, str):
            continue
        if (record.registry, record.model, record.version, record.registered) == wanted:
            return ModelVersion.of_record(record)
    return None


def place_of(
    store: Store, key: Key, watch: Watch, brake: RecordedBrake
) -> tuple[bool, Position] | None:
    """Where an alias was by the status of one who follows it, and if that was before the brake."""
    owner = store.owner(key)
    before = position_before(owner, watch, brake) if owner is not None else None
    if owner is None or before is None:
        return None
    matching = [
        (record.created, record.registered)
        for record in own_records(store, key, owner["metadata"]["uid"])
        if not isinstance(record, str)
        and (record.registry, record.model, record.version)
        == (watch.registry, watch.model, before[1])
    ]
    _, registered = max(matching, default=(0, 0))
    return before[0], (before[1], registered)
