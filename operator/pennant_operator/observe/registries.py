"""The ModelRegistries of the operator's namespace: one poller each, and the answers of them all."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from pennant_operator.decide import registries, sources
from pennant_operator.decide.observed import (
    Desired,
    ModelVersion,
    Refused,
    RegistryFacts,
)
from pennant_operator.decide.registries import Health, InvalidRegistryError
from pennant_operator.decide.spec import Watch
from pennant_operator.kube import Api, ApiError, Object
from pennant_operator.observe.awaited import Awaited
from pennant_operator.observe.poller import Poller, Surroundings
from pennant_operator.observe.secrets import read_secret
from pennant_operator.observe.store import Key, Store

LOG = logging.getLogger(__name__)
PERIOD = 5.0  # seconds between two LISTs of ModelRegistries
PATIENCE = 6.0  # seconds for the first polls: a little more than one request may take

WriteStatus = Callable[[Object, dict[str, Any]], Awaitable[Object | None]]


class Registries:
    """Starts, restarts and stops pollers as ModelRegistries come, change and go."""

    def __init__(
        self,
        api: Api,
        store: Store,
        *,
        namespace: str,
        enqueue: Callable[[Iterable[Key]], None],
        write_status: WriteStatus,
        answered: Callable[[str, datetime], None],
        now: Callable[[], datetime],
        random: Callable[[], float],
    ) -> None:
        self._api = api
        self._store = store
        self._namespace = namespace
        self._enqueue = enqueue
        self._write_status = write_status
        self._answered = answered
        self._now = now
        self._random = random
        self._listed = False
        self.asked = asyncio.Event()
        """The first LIST and the first polls are over, whatever came of them."""
        self._live: dict[str, Object] = {}
        self._pollers: dict[str, Poller] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._invalid: dict[str, Refused] = {}
        self._awaited = Awaited(now)

    def look(self, watch: Watch, namespace: str) -> tuple[Desired, RegistryFacts | None]:
        """What a ModelDeployment of this namespace is to run, and what its pods need for it."""
        poller = self._pollers.get(watch.registry)
        if poller is None:
            return self._without_poller(watch.registry), None
        facts = poller.spec.facts()
        refused = poller.spec.refusal(namespace, watch.model)
        if refused is not None:
            return refused, facts
        desired = poller.desired(watch)
        if isinstance(desired, ModelVersion):
            allowed = poller.spec.allowed_sources
            refused = sources.refusal(desired.source, allowed, registry=watch.registry)
        return refused or desired, facts

    def _without_poller(self, name: str) -> Desired:
        if not self._listed:
            return registries.not_read()
        if name in self._invalid:
            return self._invalid[name]
        if self._awaited.waits_for(name):
            return registries.not_there_yet(name, self._namespace)
        return registries.not_found(name, self._namespace)

    async def run(self) -> None:
        """Follow the ModelRegistries until cancelled; a poller's bug ends this and the process."""
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    found = await self._api.list("ModelRegistry", self._namespace)
                except ApiError as error:
                    LOG.warning("ModelRegistries cannot be listed, the last ones stand: %s", error)
                else:
                    await self._follow(found, group)
                await self._first_polls()
                await self._awaited.pause(PERIOD)

    async def _first_polls(self) -> None:
        """Who waits for `asked` takes nothing back that was told before this process began."""
        if self.asked.is_set():
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                for poller in tuple(self._pollers.values()):
                    await poller.asked.wait()
        self.asked.set()

    async def _follow(self, found: list[Object], group: asyncio.TaskGroup) -> None:
        objects = {obj["metadata"]["name"]: obj for obj in found}
        named = {watch.registry for watch in self._store.watches()}
        changed = self._awaited.listed(objects.keys(), named, first=not self._listed)
        if not self._listed:
            changed, self._listed = named, True
        for name in self._live.keys() - objects.keys():
            del self._live[name]
            self._stop(name)
            changed.add(name)
        for name, obj in objects.items():
            known, self._live[name] = self._live.get(name), obj
            if known is None or _identity(known) != _identity(obj):
                await self._start(name, obj, group)
                changed.add(name)
        watches = [watch for watch in self._store.watches() if watch.registry in changed]
        self._enqueue(key for watch in watches for key in self._store.watching(watch))

    async def _start(self, name: str, obj: Object, group: asyncio.TaskGroup) -> None:
        before = self._stop(name)
        try:
            spec = registries.parse(obj)
        except InvalidRegistryError as error:
            self._invalid[name] = registries.invalid(name, self._namespace, error)
            await self._report(name, Health(trouble=str(error), invalid=True))
            return
        # Answers of another server say nothing about this one.
        kept = before.known if before is not None and before.spec.url == spec.url else None

        async def report(health: Health) -> None:
            await self._report(name, health)

        around = Surroundings(self._secret, self._enqueue, report, self._now, self._random)
        self._pollers[name] = poller = Poller(spec, self._store, around, kept)
        self._tasks[name] = group.create_task(poller.run())

    def _stop(self, name: str) -> Poller | None:
        self._invalid.pop(name, None)
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
        return self._pollers.pop(name, None)

    async def _report(self, name: str, health: Health) -> None:
        if health.trouble is None:
            self._answered(name, self._now())
        live = self._live.get(name)
        if live is None:
            return
        try:
            status = registries.status(live, health, self._now())
            written = await self._write_status(live, status)
        except ApiError as error:
            LOG.warning("status of ModelRegistry %s was not written: %s", name, error)
            return
        if written is not None and name in self._live:
            self._live[name] = written

    async def _secret(self, name: str) -> Mapping[str, str]:
        return await read_secret(self._api, self._namespace, name)


def _identity(registry: Object) -> tuple[str, int]:
    return registry["metadata"]["uid"], registry["metadata"]["generation"]
