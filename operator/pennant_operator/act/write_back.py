"""Writes into a registry what becomes of its versions here: tags, never in a rollout's way.

What is to be there follows from the statuses; what is there is read once for each model and known
from then on. So nothing is asked while nothing changes, and whoever begins anew ends at the same.
One write at a time; what fails is tried again later, and each model fails by itself.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from pennant_operator.act.known_tags import KnownTags, TagWriter
from pennant_operator.backoff import Backoff
from pennant_operator.decide.registry.health import WriteBackHealth
from pennant_operator.decide.registry.notes import Notes, TagWrite, UnwrittenError, due_writes
from pennant_operator.decide.registry.registries import RegistrySpec
from pennant_operator.token_bucket import TokenBucket
from pennant_registry.places import Place

LOG = logging.getLogger(__name__)
TAG_WRITES_LIMIT = 20  # writes of version tags a second, to one registry, and as many at once
Key: TypeAlias = tuple[str, str]  # namespace and name of a ModelDeployment
FORMER_NAMES: Key = ("", "")  # of this cluster, whose tags are to go
REGISTRY: Key = ("", "registry")  # what fails where all of it does
NOT_LEADING = "Another replica may lead by now."

OpenWriter: TypeAlias = Callable[[], TagWriter]


class SeenPlaces(Protocol):
    """The ModelDeployments of this cluster, as far as this operator sees them."""

    def notes(self, registry: str, key: Key, now: datetime) -> Notes | None:
        """What a registry is to be told of one; None: what it was told stands."""

    def keys(self, registry: str) -> set[Key]:
        """Those that follow a model there."""

    def models(self, registry: str) -> set[str]:
        """The models that are followed there."""

    def watched(self, namespace: str) -> bool:
        """Whether ModelDeployments of a namespace are seen."""


@dataclass(frozen=True)
class WriteBackDependencies:
    """What writing back needs of the rest of the operator."""

    places: SeenPlaces
    fence: Callable[[], float]  # seconds that a write which begins now may take
    now: Callable[[], datetime]
    random: Callable[[], float]
    head: Callable[[], str | None]  # of the decision lines, as far as they are printed


class WriteBack:
    """One ModelRegistry's; `recorded` are this cluster's names that tags may be there of."""

    def __init__(
        self,
        dependencies: WriteBackDependencies,
        spec: RegistrySpec,
        recorded: tuple[str, ...],
        open_writer: OpenWriter,
    ) -> None:
        self._dependencies, self._spec, self._open = dependencies, spec, open_writer
        self._places = dependencies.places
        self._cluster = spec.write_back.cluster if spec.write_back else None
        self._former = tuple(name for name in recorded if name != self._cluster)
        self._known = KnownTags()
        self._due: dict[Key, float] = {}  # when to look at each, by the loop's clock
        self._paused_until = float("-inf")
        self._troubles: dict[Key, str] = {}
        self._backoff = Backoff(dependencies.random)
        self._changed = asyncio.Event()
        self._limiter = TokenBucket(TAG_WRITES_LIMIT, TAG_WRITES_LIMIT)

    @property
    def health(self) -> WriteBackHealth | None:
        """For the status; None when nobody asks for it, and no tags are left from before."""
        clusters = (*((self._cluster,) if self._cluster else ()), *self._former)
        trouble = self._troubles.get(REGISTRY) or next(iter(self._troubles.values()), None)
        return WriteBackHealth(trouble, clusters) if clusters else None

    @property
    def unwritten(self) -> int:
        """Of so many ModelDeployments the tags are not as they should be, or not known to be."""
        now = asyncio.get_running_loop().time()
        return sum(at <= now or key in self._troubles for key, at in self._due.items())

    def look(self, key: Key) -> None:
        """A ModelDeployment may be another by now; one that failed keeps its pause."""
        if self._cluster is not None and key not in self._troubles:
            self._due[key] = asyncio.get_running_loop().time()
            self._changed.set()

    async def run(self, report: Callable[[], Awaitable[None]]) -> None:
        """Keep the tags right until cancelled; `report` is called when there is news of it."""
        for key in self._places.keys(self._spec.name):
            self.look(key)
        if self._former:
            self._due[FORMER_NAMES] = asyncio.get_running_loop().time()
        while True:
            self._changed.clear()
            if self._keys_due():
                await self._work()
                await report()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._next_look()):
                    await self._changed.wait()

    def fault(self, trouble: str) -> None:
        """`run` raised: what is written is not known until it runs again."""
        self._troubles[REGISTRY] = trouble

    def _keys_due(self) -> list[Key]:
        now = asyncio.get_running_loop().time()
        if now < self._paused_until:
            return []
        return [key for key, at in self._due.items() if at <= now]

    def _next_look(self) -> float | None:
        """When there is something to do by itself; None: when `look` says so."""
        return max(min(self._due.values()), self._paused_until) if self._due else None

    async def _work(self) -> None:
        """All that is due, as far as the registry lets it be done."""
        writer = self._open()
        try:
            while keys := self._keys_due():
                for key in keys:
                    await self._look_at(key, writer)
                    await asyncio.sleep(0)  # of thousands most have nothing to write
        except UnwrittenError as error:
            self._failed(REGISTRY, str(error))
        else:
            self._succeeded(REGISTRY)
        finally:
            await writer.close()

    async def _look_at(self, key: Key, writer: TagWriter) -> None:
        began = self._due.pop(key)
        try:
            await (self._forget(writer) if key == FORMER_NAMES else self._settle(key, writer))
        except UnwrittenError as error:
            if not error.alone:
                self._due.setdefault(key, began)
                raise
            self._failed(key, str(error))
        except Exception as error:  # one that nobody thought of must not stop all the others
            LOG.exception("version tags of %s/%s", *key)
            self._failed(key, f"the operator fails ({error!r:.200}): see its log.")
        else:
            self._succeeded(key)

    async def _settle(self, key: Key, writer: TagWriter) -> None:
        """Make the tags of one ModelDeployment say what is so."""
        assert self._cluster is not None
        now = self._dependencies.now()
        notes = self._places.notes(self._spec.name, key, now)
        if notes is None:
            return
        texts = {
            of: text
            for of, text in notes.texts.items()
            if self._spec.refusal(key[0], of.model) is None
        }
        for of in texts:
            for place in await self._known.read(of, writer):
                self._look_for(place)
        place, head = Place(self._cluster, *key), self._dependencies.head()
        known, keeps_good = self._known, notes.keeps_good
        for write in due_writes(
            place, texts, known.models, known.bearers, head, keeps_good=keeps_good
        ):
            await self._write(write, writer)
        if notes.until is not None:
            at = asyncio.get_running_loop().time() + (notes.until - now).total_seconds()
            self._due.setdefault(key, at)

    def _look_for(self, place: Place) -> None:
        """A tag was there already: what it is about may be gone, or follow another model."""
        if place.cluster == self._cluster and self._places.watched(place.namespace):
            self._due.setdefault((place.namespace, place.name), asyncio.get_running_loop().time())

    async def _forget(self, writer: TagWriter) -> None:
        """Delete what was written by a name that this cluster had, or before nobody asked any more.

        Of models that are followed: others are not known.
        """
        refused: UnwrittenError | None = None
        for model in sorted(self._places.models(self._spec.name)):
            try:
                for place in await self._known.read_model(model, writer):
                    self._look_for(place)
                for write in self._known.deletions(model, self._former, self._places.watched):
                    await self._write(write, writer)
            except UnwrittenError as error:
                if not error.alone:
                    raise
                refused = refused or error
        if refused is not None:
            raise refused
        self._former = ()

    async def _write(self, write: TagWrite, writer: TagWriter) -> None:
        await self._limiter.wait()
        # After the wait: what was true before it may not be now.
        seconds = self._dependencies.fence()
        if seconds <= 0:
            raise UnwrittenError(NOT_LEADING)
        try:
            async with asyncio.timeout(seconds):
                done = await writer.write(write)
        except TimeoutError:
            self._known.doubt(write)
            raise UnwrittenError(NOT_LEADING) from None
        except UnwrittenError as error:
            if not error.alone:  # a refusal is an answer
                self._known.doubt(write)
            raise
        self._known.wrote(write, done=done)

    def _failed(self, key: Key, trouble: str) -> None:
        if self._troubles.get(key) != trouble:
            LOG.warning("version tags of registry %s: %s", self._spec.name, trouble)
        self._troubles[key] = trouble
        at = asyncio.get_running_loop().time() + self._backoff.next(key)
        if key == REGISTRY:
            self._paused_until = at
        else:
            self._due[key] = at

    def _succeeded(self, key: Key) -> None:
        self._troubles.pop(key, None)
        self._backoff.forget(key)
