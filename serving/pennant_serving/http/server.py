"""uvicorn, with an ending that loses no request.

After SIGTERM: readiness fails at once and every response ends its connection; new connections are
still taken for a moment, because the news of our going takes time to reach everybody who routes to
us; then the listener closes, those who had just connected get their answer, and the process ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import uvicorn

from pennant_serving.fast.lane import FastLane
from pennant_serving.http import crowd
from pennant_serving.http.accepting import Waiting
from pennant_serving.http.connections.connection import connection_class
from pennant_serving.http.connections.limits import ConnectionLimits
from pennant_serving.http.connections.sharing import Choosing
from pennant_serving.lifecycle.lifecycle import Lifecycle, Phase
from pennant_serving.settings import Settings

ACCEPT_SECONDS = 5.0
"""A pod that is deleted has left the routes before SIGTERM comes. A process told to end in a pod
that stays has not: three readiness probes, a second apart, must fail first, and every node must
hear of it. At most a quarter of the time to drain."""
SETTLE_SECONDS = 1.0
POLL_SECONDS = 0.02
LOOK_SECONDS = 1.0
CONNECTIONS_PER_TURN = 256
"""Connections that are looked at before others have their turn."""


class Server(uvicorn.Server):
    """One process, one event loop, one application."""

    def __init__(self, config: uvicorn.Config, lifecycle: Lifecycle, accept: float) -> None:
        super().__init__(config)
        self._lifecycle = lifecycle
        self._accept = accept
        self._was_ready = False

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn's own way raises the signal again at the end, which is not exit code 0."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._drain)
        yield

    def share(self, choosing: Choosing | None) -> None:
        """Have it asked for each request from now on."""
        self.config.http.choosing = choosing  # type: ignore[union-attr]

    def _drain(self) -> None:
        self._was_ready = self._lifecycle.phase is Phase.READY or self._was_ready
        self._lifecycle.drain()
        now = asyncio.get_running_loop().time()
        for connection in self.server_state.connections:
            connection.restart(now)  # type: ignore[union-attr]
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """From now on, and until the end, clients are held to the limits."""
        await super().startup(sockets)
        self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(LOOK_SECONDS)
            # Nobody is to blame for the time in which we stood still, and did not read.
            is_late = loop.time() - before > 2 * LOOK_SECONDS
            for count, connection in enumerate(list(self.server_state.connections), 1):
                look = connection.restart if is_late else connection.look  # type: ignore[union-attr]
                look(loop.time())
                if count % CONNECTIONS_PER_TURN == 0:
                    await asyncio.sleep(0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting a little later than asked, then let uvicorn finish."""
        if self._was_ready:
            await asyncio.sleep(self._accept)
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        await self._settled()
        await super().shutdown([])
        self._looking.cancel()

    async def _settled(self) -> None:
        """Wait for those who connected but have not asked yet: uvicorn would cut them off."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SETTLE_SECONDS
        # uvicorn has no event for this.
        while self.server_state.connections and loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)


def create_server(
    app: object,
    settings: Settings,
    lifecycle: Lifecycle,
    lane: FastLane,
    waiting: Waiting | None,
) -> Server:
    """A server for one application, with the headers that every response carries."""
    accept = accept_seconds(settings)
    rest = settings.drain_seconds - accept - SETTLE_SECONDS
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=connection_class(
            lifecycle=lifecycle,
            lane=lane,
            waiting=waiting,
            watch=lane.telemetry.watch,
            limits=ConnectionLimits(
                max_age=settings.max_connection_age,
                timeout=settings.request_timeout,
                max_connections=crowd.connections(),
            ),
        ),
        loop="uvloop",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        # Here, and not in a middleware, because uvicorn answers some requests itself.
        headers=list(settings.identity),
        timeout_graceful_shutdown=max(1, int(rest)),
    )
    return Server(config, lifecycle, accept)


def accept_seconds(settings: Settings) -> float:
    """How long new connections are taken after SIGTERM: where others share the socket, these do."""
    return 0.0 if settings.listener_fd else min(ACCEPT_SECONDS, settings.drain_seconds / 4)
