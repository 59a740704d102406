"""The ModelDeployments that this operator sees, as registries are told of them."""

from collections.abc import Collection
from datetime import datetime

from pennant_operator.decide.registry.notes import Notes, notes_of
from pennant_operator.decide.seen.revision import Record
from pennant_operator.observe.cluster.children import own_records
from pennant_operator.observe.cluster.store import Key, Store


class Places:
    """Out of the store; `namespaces` are those that are watched, none where all are."""

    def __init__(self, store: Store, namespaces: Collection[str]) -> None:
        self._store = store
        self._namespaces = namespaces

    def notes(self, registry: str, key: Key, now: datetime) -> Notes | None:
        """What a registry is to be told of one; None: what it was told stands."""
        owner = self._store.owner(key)
        if owner is None or owner["metadata"].get("deletionTimestamp"):
            return Notes()
        own = own_records(self._store, key, owner["metadata"]["uid"])
        records = {each.revision: each for each in own if isinstance(each, Record)}
        return notes_of(owner, records, registry, now)

    def keys(self, registry: str) -> set[Key]:
        """Those that follow a model there."""
        watches = [watch for watch in self._store.watches() if watch.registry == registry]
        return {key for watch in watches for key in self._store.watching(watch)}

    def models(self, registry: str) -> set[str]:
        """The models that are followed there."""
        return {watch.model for watch in self._store.watches() if watch.registry == registry}

    def watched(self, namespace: str) -> bool:
        """Whether ModelDeployments of a namespace are seen."""
        return not self._namespaces or namespace in self._namespaces
