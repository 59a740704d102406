"""A registry's version tags in memory, and what the operator writes into them."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from pennant_operator.act.write_back import Key, WriteBack, WriteBackDependencies
from pennant_operator.decide.registry.notes import (
    Notes,
    TaggedVersion,
    TagWrite,
    UnwrittenError,
    notes_of,
)
from pennant_operator.observe.cluster.places import Places
from pennant_operator.observe.cluster.store import Store
from pennant_operator.observe.registries.followed import MakeWriteBack
from pennant_testing.memory.object_builders import NOW
from pennant_testing.memory.simulated_cluster import Simulation


def write_back(store: Store) -> MakeWriteBack:
    """As an operator makes it that sees every namespace, and leads."""
    dependencies = WriteBackDependencies(
        Places(store, ()), lambda: 60.0, lambda: datetime.now(UTC), lambda: 0.5, lambda: None
    )
    return partial(WriteBack, dependencies)


@dataclass
class SimulatedPlaces:
    """ModelDeployments of simulated clusters, by name; of each what its status says."""

    sims: dict[str, Simulation]
    namespaces: tuple[str, ...] = ("team",)
    leads: bool = True
    head: str | None = None
    """Of the operator's decision lines."""

    @property
    def dependencies(self) -> WriteBackDependencies:
        """Of the operator that sees them."""
        return WriteBackDependencies(
            self, lambda: 60.0 if self.leads else 0.0, self._now, lambda: 0.5, lambda: self.head
        )

    def notes(self, registry: str, key: Key, now: datetime) -> Notes | None:
        sim = self.sims.get(key[1])
        return notes_of(sim.owner, sim.own_records(), registry, now) if sim else Notes()

    def keys(self, registry: str) -> set[Key]:
        return {("team", name) for name in self.sims}

    def models(self, registry: str) -> set[str]:
        return {"news"} if self.sims else set()

    def watched(self, namespace: str) -> bool:
        return namespace in self.namespaces

    def _now(self) -> datetime:
        return max((sim.now for sim in self.sims.values()), default=NOW)


class KilledError(BaseException):
    """The operator's process ends here."""


@dataclass
class TagsInMemory:
    """Models, their versions and those versions' tags; counts requests, and fails as told."""

    models: dict[str, dict[str, TaggedVersion]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    trouble: dict[str, UnwrittenError] = field(default_factory=dict)
    """By model; that of "" fails whatever is asked."""
    writes_left: int | None = None
    """Until the operator is killed, right after a write was made and before it knows."""
    unanswered: int = 0
    """So many of the next writes are made, and the answer is lost."""

    def open(self) -> TagsInMemory:
        return self

    async def close(self) -> None:
        """There is no connection."""

    def tags(self) -> dict[str, dict[str, str]]:
        """By model and version, where there are any."""
        return {
            f"{model}/{version}": dict(entry.tags)
            for model, versions in self.models.items()
            for version, entry in versions.items()
            if entry.tags
        }

    async def of_model(self, model: str) -> dict[str, TaggedVersion]:
        self._asked(f"versions of {model}", model)
        return copy.deepcopy(self.models.get(model, {}))

    async def of_version(self, model: str, version: str) -> TaggedVersion | None:
        self._asked(f"version {version} of {model}", model)
        return copy.deepcopy(self.models.get(model, {}).get(version))

    async def write(self, write: TagWrite) -> bool:
        verb = "delete" if write.value is None else "set"
        self._asked(f"{verb} {write.model}/{write.version}", write.model)
        entry = self.models.get(write.model, {}).get(write.version)
        if entry is not None and write.value is None:
            entry.tags.pop(write.key, None)
        elif entry is not None and write.value is not None:
            entry.tags[write.key] = write.value
        if self.writes_left is not None:
            self.writes_left -= 1
            if self.writes_left == 0:
                raise KilledError
        if self.unanswered:
            self.unanswered -= 1
            raise UnwrittenError("no answer.")
        return entry is not None

    def _asked(self, what: str, model: str) -> None:
        self.requests.append(what)
        for trouble in ("", model):
            if trouble in self.trouble:
                raise self.trouble[trouble]
