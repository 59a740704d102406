"""Who watches one registry, and may; and what they have on record of what it points at."""

from pennant_operator.decide.registry import sources
from pennant_operator.decide.registry.brake import Position, RecordedBrake
from pennant_operator.decide.registry.registries import RegistrySpec
from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.cluster.store import Key, Store
from pennant_operator.observe.poll.recorded import Pointed, place_of, recorded


class Watchers:
    """The ModelDeployments that name one ModelRegistry, as the store has them now."""

    def __init__(self, spec: RegistrySpec, store: Store) -> None:
        self._spec = spec
        self._store = store

    def watches(self) -> set[Watch]:
        """What is asked of the registry by somebody who may."""
        return {
            watch
            for watch in self._store.watches()
            if watch.registry == self._spec.name and self.may_ask(watch)
        }

    def may_ask(self, watch: Watch) -> bool:
        """Whether anybody watches this who may."""
        return any(self._is_allowed(watch, key) for key in self.keys(watch))

    def keys(self, watch: Watch) -> frozenset[Key]:
        """All who watch this, those who may not included."""
        return self._store.watching(watch)

    def remember_a_hold(self, watch: Watch) -> bool:
        """Whether the status of somebody who watches this says that somebody held it."""
        owners = map(self._store.owner, self.keys(watch))
        return any(((owner or {}).get("status") or {}).get("hold") for owner in owners)

    def all_recorded(self, watch: Watch, at: Pointed) -> bool:
        """Whether everybody who watches it, and may, has run this version before."""
        return all(
            self.recorded(watch, key, at) is not None
            for key in self.keys(watch)
            if self._is_allowed(watch, key)
        )

    def recorded(self, watch: Watch, key: Key, at: Pointed) -> ModelVersion | None:
        """Where it was then allowed to come from it may not be any more, or be pulled from."""
        record, allowed = recorded(self._store, key, watch, at), self._spec.allowed_sources
        if record and sources.source_refusal(record.source, allowed, registry=self._spec.name):
            return None
        return record

    def places(self, watch: Watch, recorded: RecordedBrake) -> tuple[Position, ...]:
        """Where an alias was by the statuses of those who follow it.

        One that was killed in the middle of a move left statuses of before and after it. What was
        before a brake that holds counts more than what came since.
        """
        at = [
            place
            for key in self.keys(watch)
            if self._is_allowed(watch, key)
            and (place := place_of(self._store, key, watch, recorded)) is not None
        ]
        before_brake = [position for is_before, position in at if is_before]
        return tuple(sorted(set(before_brake or [position for _, position in at])))

    def _is_allowed(self, watch: Watch, key: Key) -> bool:
        return self._spec.refusal(key[0], watch.model) is None
