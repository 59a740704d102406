"""A poller's line to its server: made when there is something to ask, made anew after trouble.

And when the Secret has changed: nobody has to wait until what it held before is refused.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Set

from pennant_operator.decide.registry.registries import RegistrySpec
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.cluster.store import Key
from pennant_operator.observe.mlflow.api import Registry
from pennant_operator.observe.mlflow.connection import Count, ReadSecret, connect, read_credentials
from pennant_operator.observe.mlflow.http import MlflowHttp
from pennant_operator.observe.mlflow.secrets import SecretUnreadError
from pennant_operator.observe.poll.known import Known
from pennant_operator.observe.poll.last_good import GoodQuestion
from pennant_operator.observe.poll.poll import Listed, Poll
from pennant_operator.observe.poll.recorded import Pointed
from pennant_operator.observe.poll.version_facts import Identity

LOG = logging.getLogger(__name__)
# between two reads of a registry's Secret: once a poll, and not with every hint
SECRET_REREAD_SECONDS = 0.9


class Link:
    """One server, and what it calls itself."""

    def __init__(
        self,
        spec: RegistrySpec,
        known: Known,
        read_secret: ReadSecret,
        count: Count,
        recorded: Callable[[Watch, Pointed], bool] = lambda _watch, _at: False,
        listed: Listed = lambda _searched, _models: None,
    ) -> None:
        self.server_version = ""
        self._spec = spec
        self._known = known
        self._read_secret = read_secret
        self._count = count
        self._recorded = recorded
        self._listed = listed
        self._secret: Mapping[str, str] | None = None
        self._read_at = float("-inf")
        self._http: MlflowHttp | None = None
        self._poll: Poll | None = None

    async def ask(
        self, watches: Collection[Watch], answered: Callable[[Watch], None] = lambda _: None
    ) -> None:
        """Bring the answers to these up to date, telling of each; raises RegistryTroubleError."""
        poll = await self._connected()
        await poll.ask(watches, answered)

    async def ask_gate_facts(
        self, versions: Iterable[Identity], announce: Callable[[Set[Key]], None]
    ) -> None:
        """Ask what gates want to know of these, telling whom it concerns; likewise."""
        poll = await self._connected()
        await poll.ask_gate_facts(versions, announce)

    async def ask_served(
        self, versions: Iterable[Identity], announce: Callable[[Set[Key]], None]
    ) -> None:
        """Ask whether these versions are still there, telling whom it concerns; likewise."""
        poll = await self._connected()
        await poll.ask_served(versions, announce)

    async def ask_last_good(
        self, questions: Iterable[GoodQuestion], announce: Callable[[Set[Key]], None]
    ) -> None:
        """Ask which versions served well before, telling whom it concerns; likewise."""
        poll = await self._connected()
        await poll.ask_last_good(questions, announce)

    async def _connected(self) -> Poll:
        if self._poll is not None and not await self._secret_changed():
            return self._poll
        await self.drop()
        self._secret = await read_credentials(self._spec, self._read_secret)
        self._http = connect(self._spec, self._secret, self._count)
        registry = Registry(self._http)
        self.server_version = await registry.server_version()
        self._poll = Poll(registry, self.server_version, self._known, self._recorded, self._listed)
        return self._poll

    async def _secret_changed(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._read_at + SECRET_REREAD_SECONDS:
            return False
        self._read_at = now
        try:
            return await read_credentials(self._spec, self._read_secret) != self._secret
        except SecretUnreadError as error:
            LOG.warning("registry %s: %s", self._spec.name, error)  # what the Secret held stands
            return False

    async def drop(self) -> None:
        """Credentials and version are read again after every trouble: both may be its cure."""
        if self._http is not None:
            await self._http.close()
        self._http = self._poll = None
