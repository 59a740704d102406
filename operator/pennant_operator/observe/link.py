"""A poller's line to its server: made when there is something to ask, made anew after trouble."""

from collections.abc import Callable, Collection

from pennant_operator.decide.registries import RegistrySpec
from pennant_operator.decide.spec import Watch
from pennant_operator.observe.connection import Count, ReadSecret, connect
from pennant_operator.observe.mlflow_http import MlflowHttp
from pennant_operator.observe.poll import Known, Poll
from pennant_operator.observe.registry import Registry


class Link:
    """One server, and what it calls itself."""

    def __init__(
        self, spec: RegistrySpec, known: Known, read_secret: ReadSecret, count: Count
    ) -> None:
        self.server_version = ""
        self._spec = spec
        self._known = known
        self._read_secret = read_secret
        self._count = count
        self._http: MlflowHttp | None = None
        self._poll: Poll | None = None

    async def ask(self, watches: Collection[Watch], answered: Callable[[Watch], None]) -> None:
        """Bring the answers to these up to date, telling of each; raises RegistryTroubleError."""
        if self._poll is None:
            self._http = await connect(self._spec, self._read_secret, self._count)
            registry = Registry(self._http)
            self.server_version = await registry.server_version()
            self._poll = Poll(registry, self.server_version, self._known)
        if not watches:
            await self._poll.registry.ping()
        await self._poll.ask(watches, answered)

    async def drop(self) -> None:
        """Credentials and version are read again after every trouble: both may be its cure."""
        if self._http is not None:
            await self._http.close()
        self._http = self._poll = None
