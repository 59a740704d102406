"""Keeps the answers of one registry fresh, and says which ModelDeployments they changed for.

Trouble changes no answer: what was last known stands, for everybody, until the outage has lasted
long enough to be told (law 2, law 7).
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pennant_operator.decide import registries
from pennant_operator.decide.observed import Desired, Unknown
from pennant_operator.decide.registries import Health, RegistrySpec
from pennant_operator.decide.spec import Watch
from pennant_operator.decide.vocabulary import Reason
from pennant_operator.observe.mlflow_http import MlflowHttp, RegistryTroubleError, credentials
from pennant_operator.observe.outage import Outage
from pennant_operator.observe.poll import Known, Poll
from pennant_operator.observe.registry import Registry
from pennant_operator.observe.store import Key, Store

LOG = logging.getLogger(__name__)
GATHER = 0.05  # seconds: ModelDeployments that come together are asked for together


@dataclass(frozen=True)
class Surroundings:
    """What a poller needs of the rest."""

    read_secret: Callable[[str], Awaitable[Mapping[str, str]]]  # raises RegistryTroubleError
    enqueue: Callable[[Iterable[Key]], None]
    report: Callable[[Health], Awaitable[None]]
    now: Callable[[], datetime]
    random: Callable[[], float]


class Poller:
    """One ModelRegistry."""

    def __init__(
        self,
        spec: RegistrySpec,
        store: Store,
        around: Surroundings,
        known: Known | None = None,
    ) -> None:
        self.spec = spec
        self._store = store
        self._around = around
        self._http: MlflowHttp | None = None
        self._poll: Poll | None = None
        self._known = known or Known()
        self._outage = Outage()
        self._trouble: str | None = None
        self._server_version = ""
        self._news = asyncio.Event()
        self.asked = asyncio.Event()
        """The first poll is over, whatever came of it."""

    def desired(self, watch: Watch) -> Desired:
        """What is known; a question that was never answered is asked at once."""
        name = self.spec.name
        if self._outage.told:
            return registries.silent(name, self._outage.since)
        if watch in self._known.answers:
            return self._known.answers[watch]
        if watch in self._known.unresolved:
            return Unknown(Reason.WAITING_FOR_REGISTRY, self._known.unresolved[watch])
        self._news.set()
        return registries.not_asked(name)

    @property
    def known(self) -> Known:
        """For the poller that takes this one's place."""
        return self._known

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            while True:
                await self._turn(self._watches())
                await self._pause()
        finally:
            await self._disconnect()

    async def _pause(self) -> None:
        """Wait for the next poll; ask what is new at once, unless the server has trouble."""
        loop = asyncio.get_running_loop()
        jitter = 0.9 + 0.2 * self._around.random()
        until = loop.time() + self._outage.pause(self.spec.poll_interval).total_seconds() * jitter
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._news.wait()
                    await asyncio.sleep(GATHER)
            if loop.time() >= until:
                return
            self._news.clear()
            new = self._watches() - self._known.answers.keys() - self._known.unresolved.keys()
            if new and self._outage.failures == 0:
                await self._turn(new)

    async def _turn(self, watches: set[Watch]) -> None:
        before = {watch: self.desired(watch) for watch in watches}
        self._news.clear()
        try:
            await self._ask(watches)
        except RegistryTroubleError as error:
            LOG.warning("registry %s: %s", self.spec.name, error)
            self._trouble = str(error)
            self._outage.failed(self._around.now())
            await self._disconnect()
        else:
            self._trouble = None
            self._outage.succeeded()
        moved = [watch for watch, was in before.items() if self.desired(watch) != was]
        self._around.enqueue(key for watch in moved for key in self._store.watching(watch))
        models = len({watch.model for watch in self._watches()})
        self.asked.set()
        await self._around.report(Health(self._server_version, models, self._trouble))

    async def _ask(self, watches: set[Watch]) -> None:
        if self._poll is None:
            self._poll = await self._connect()
        if not watches:
            await self._poll.registry.ping()
        self._known.forget_all_but(self._watches())
        await self._poll.ask(watches)

    async def _connect(self) -> Poll:
        """Credentials and version are read again after every trouble: both may be its cure."""
        secret, authorization = self.spec.credentials_secret, None
        if secret is not None:
            authorization = credentials(await self._around.read_secret(secret))
            if authorization is None:
                raise RegistryTroubleError(
                    f"Secret {secret} holds no credentials: give it MLFLOW_TRACKING_USERNAME and "
                    "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
                )
        self._http = MlflowHttp(self.spec, authorization)
        registry = Registry(self._http)
        self._server_version = await registry.server_version()
        return Poll(registry, self._server_version, self._known)

    async def _disconnect(self) -> None:
        if self._http is not None:
            await self._http.close()
        self._http = self._poll = None

    def _watches(self) -> set[Watch]:
        """What is asked of this registry by somebody who may."""
        return {
            watch
            for watch in self._store.watches()
            if watch.registry == self.spec.name
            and any(
                self.spec.refusal(namespace, watch.model) is None
                for namespace, _ in self._store.watching(watch)
            )
        }
