"""The version tags of a registry that are about places: read once for each model, and kept."""

from collections.abc import Callable, Collection, Iterable
from typing import Protocol

from pennant_operator.decide.registry.notes import (
    NotedVersion,
    TaggedVersion,
    TagWrite,
    is_noted,
)
from pennant_registry.places import Place, place_of_tag

_ANYTHING = ""  # that a tag may say by now, or that it is not there: an emptied one is not kept


class TagWriter(Protocol):
    """The registry; every method but the first raises UnwrittenError."""

    async def close(self) -> None:
        """End its connection, if there is one."""

    async def of_model(self, model: str) -> dict[str, TaggedVersion]:
        """Every version of a model, by its number."""

    async def of_version(self, model: str, version: str) -> TaggedVersion | None:
        """One version; None when there is no such version."""

    async def write(self, write: TagWrite) -> bool:
        """Set a tag, or delete it; False when there is no such version."""


class KnownTags:
    """What is there, as far as nobody else changed it since."""

    def __init__(self) -> None:
        self.models: dict[str, dict[str, TaggedVersion]] = {}
        self._missing: set[NotedVersion] = set()
        self._bearers: dict[str, set[tuple[str, str]]] = {}  # by the key of a tag

    async def read(self, of: NotedVersion, writer: TagWriter) -> set[Place]:
        """See that a version is known, if there is one; the places that others are about."""
        places = await self.read_model(of.model, writer)
        versions = self.models[of.model]
        if is_noted(of, versions.get(of.version)) or of in self._missing:
            return places
        entry = await writer.of_version(of.model, of.version)
        if entry is not None and not versions:  # the account was not shown any until now
            del self.models[of.model]
            places = await self.read_model(of.model, writer)
        self._take(of.model, of.version, entry)
        if of.created and not is_noted(of, entry):
            self._missing.add(of)  # for good: no version is made twice at the same time
        # MLflow copies a version with its tags: they tell of another one.
        return places | _places_of([entry] if entry is not None else [])

    async def read_model(self, model: str, writer: TagWriter) -> set[Place]:
        """See that a model's versions are known; the places that they are about, the first time."""
        if model in self.models:
            return set()
        versions = await writer.of_model(model)
        self.models[model] = {}
        for version, entry in versions.items():
            self._take(model, version, entry)
        return _places_of(versions.values())

    def bearers(self, key: str) -> frozenset[tuple[str, str]]:
        """Model and number of the versions that have this tag."""
        return frozenset(self._bearers.get(key, ()))

    def _take(self, model: str, version: str, entry: TaggedVersion | None) -> None:
        """A version is as it is; None: it is not there."""
        before = self.models[model].pop(version, None)
        for key in before.tags if before else ():
            self._forget(key, model, version)
        if entry is not None:
            self.models[model][version] = entry
            for key in entry.tags:
                self._bearers.setdefault(key, set()).add((model, version))

    def _forget(self, key: str, model: str, version: str) -> None:
        self._bearers[key].discard((model, version))
        if not self._bearers[key]:
            del self._bearers[key]

    def deletions(
        self, model: str, clusters: Collection[str], watched: Callable[[str], bool]
    ) -> list[TagWrite]:
        """What takes away all that is said by these names, in namespaces that are watched."""
        return [
            TagWrite(model, version, key, None)
            for version, entry in self.models[model].items()
            for key in entry.tags
            if (place := place_of_tag(key))
            and place.cluster in clusters
            and watched(place.namespace)
        ]

    def doubt(self, write: TagWrite) -> None:
        """It was sent and not answered: what the tag says is not known until it is written anew."""
        self.wrote(write._replace(value=_ANYTHING), done=True)

    def wrote(self, write: TagWrite, *, done: bool) -> None:
        """What the registry answered to a write."""
        before = self.models[write.model].get(write.version)
        if not done or before is None:
            self._take(write.model, write.version, None)
            return
        tags = {key: value for key, value in before.tags.items() if key != write.key}
        if write.value is not None:
            tags[write.key] = write.value
        self._take(write.model, write.version, TaggedVersion(before.created, tags))


def _places_of(entries: Iterable[TaggedVersion]) -> set[Place]:
    keys = {key for entry in entries for key in entry.tags}
    return {place for key in keys if (place := place_of_tag(key))}
