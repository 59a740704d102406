"""One poll of one registry: the fewest requests that answer everything watched.

Up to three watches are one request each. More are one search, whose answer has every alias but
neither sources nor tags: what moved is read by one request more. That nothing is there is believed
only when it is confirmed by a request of its own (law 2).
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from pennant_operator.decide.observed import Absent, ModelVersion
from pennant_operator.decide.spec import Watch
from pennant_operator.observe.filters import quotable, understands_in
from pennant_operator.observe.mlflow_http import RegistryTroubleError
from pennant_operator.observe.registry import Found, Listed, Registry

LOG = logging.getLogger(__name__)
FEW = 3  # watches; below, asking one by one is the cheapest
# Walking a whole registry costs the server about as much for 18 models as one alias does.
WALK_WORTH = 18

Answer = ModelVersion | Absent


@dataclass
class Known:
    """What a registry answered so far; it outlives connections and outages."""

    answers: dict[Watch, Answer] = field(default_factory=dict)
    unresolved: dict[Watch, str] = field(default_factory=dict)  # found, but not where its bytes are
    size: int = 0  # registered models there are, as of the last walk through all
    resolved: dict[tuple[str, str, int], ModelVersion] = field(default_factory=dict)
    created: dict[Watch, int | None] = field(default_factory=dict)  # of the registered model

    def forget_all_but(self, watches: set[Watch]) -> None:
        """Drop what nobody watches any more."""
        for table in (self.answers, self.unresolved, self.created):
            for watch in table.keys() - watches:
                del table[watch]
        models = {watch.model for watch in watches}
        self.resolved = {k: v for k, v in self.resolved.items() if k[0] in models}


@dataclass(frozen=True)
class Poll:
    """Brings what is known up to date over one connection."""

    registry: Registry
    server_version: str
    known: Known

    async def ask(self, watches: Iterable[Watch]) -> None:
        """Answer these; raises RegistryTroubleError, and then every earlier answer stands."""
        chosen = sorted(watches, key=str)
        singly = [w for w in chosen if not quotable(w.model)]
        rest = [w for w in chosen if quotable(w.model)]
        whole = not understands_in(self.server_version)
        if len(rest) <= FEW or (whole and 0 < len(rest) * WALK_WORTH <= self.known.size):
            singly, rest = chosen, []
        if rest:
            await self._search(rest, whole=whole)
        for watch in singly:
            await self._take(watch, await self.registry.find(watch))

    async def _search(self, watches: list[Watch], *, whole: bool) -> None:
        names = sorted({w.model for w in watches})
        listed = await self.registry.search(None if whole else names)
        self.known.size = len(listed) if whole else self.known.size
        for watch in watches:
            await self._compare(watch, listed.get(watch.model))

    async def _compare(self, watch: Watch, model: Listed | None) -> None:
        """Ask for one watch by itself, only where the search says something new."""
        known, version = self.known.answers.get(watch), watch.version
        if watch.alias is not None:
            version = model.aliases.get(watch.alias) if model else None
        if isinstance(known, Absent) and (model is None or version is None):
            return
        # A model that was deleted and made again starts at version 1 again.
        created = model.created if model else None
        same = isinstance(known, ModelVersion) and known.version == version
        if not same or self.known.created.get(watch) != created:
            await self._take(watch, await self.registry.find(watch))
            self.known.created[watch] = created

    async def _take(self, watch: Watch, found: Found | Absent) -> None:
        if isinstance(found, Absent) and not isinstance(self.known.answers.get(watch), Absent):
            found = await self.registry.find(watch)
        if isinstance(found, Absent):
            self.known.answers[watch] = found
            self.known.unresolved.pop(watch, None)
        else:
            await self._resolve(watch, found)

    async def _resolve(self, watch: Watch, found: Found) -> None:
        model, version = found["name"], str(found["version"])
        identity = (model, version, int(found["creation_timestamp"]))
        try:
            if identity not in self.known.resolved:
                self.known.resolved[identity] = await self.registry.resolve(found)
        except RegistryTroubleError as error:
            # One version's run may be deleted or out of bounds while the others are well.
            LOG.warning("version %s of %s cannot be resolved: %s", version, model, error)
            self.known.unresolved[watch] = (
                f"Version {version} of {model} cannot be resolved: {error}"
            )
            return
        self.known.unresolved.pop(watch, None)
        self.known.answers[watch] = self.known.resolved[identity]
