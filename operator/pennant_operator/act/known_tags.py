"""The version tags of a registry that are about places: read once for each model, and kept."""

from collections.abc import Callable, Collection
from typing import Protocol

from pennant_operator.decide.registry.notes import (
    NotedVersion,
    TaggedVersion,
    TagWrite,
    is_noted,
)
from pennant_registry.places import Place, place_of_tag


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
            versions = self.models[of.model]
        if entry is not None:
            versions[of.version] = entry
        else:
            versions.pop(of.version, None)
        if of.created and not is_noted(of, entry):
            self._missing.add(of)  # for good: no version is made twice at the same time
        return places

    async def read_model(self, model: str, writer: TagWriter) -> set[Place]:
        """See that a model's versions are known; the places that they are about, the first time."""
        if model in self.models:
            return set()
        self.models[model] = await writer.of_model(model)
        keys = {key for entry in self.models[model].values() for key in entry.tags}
        return {place for key in keys if (place := place_of_tag(key))}

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

    def wrote(self, write: TagWrite, *, done: bool) -> None:
        """What the registry answered to a write."""
        versions = self.models[write.model]
        if not done:
            versions.pop(write.version, None)
        elif write.value is None:
            versions[write.version].tags.pop(write.key, None)
        else:
            versions[write.version].tags[write.key] = write.value
