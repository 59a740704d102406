"""The ports of a lobby, and its end, which loses no request.

After SIGTERM: readiness fails at once; new connections are still taken for a moment, because the
news of our going takes time to reach everybody who routes to us; then what waits or is being
answered comes to its end, and the process to its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from pennant_serving.address import Address
from pennant_serving.http.listener import listen
from pennant_serving.lobby import probes
from pennant_serving.lobby.buffer import Pages
from pennant_serving.lobby.counts import LobbyCounts
from pennant_serving.lobby.http import HttpRelay
from pennant_serving.lobby.pods import Pods
from pennant_serving.lobby.relay import Relay
from pennant_serving.lobby.settings import LobbySettings

ACCEPT_SECONDS = 5.0
"""As long as a serving pod takes new connections; at most a quarter of the time to drain."""
SETTLE_SECONDS = 1.0
"""For those who have connected to send something."""
SPARE_DESCRIPTORS = 64
"""File descriptors for all but requests, of which each takes two."""

Take = Callable[[socket.socket], None]


class Lobby:
    """One process, one event loop."""

    def __init__(self, settings: LobbySettings) -> None:
        self._settings = settings
        self._pages = Pages(settings.max_bytes)
        self._places = _places(self._pages.places)
        self._counts = LobbyCounts()
        self._leaving = asyncio.Event()
        self._relays: dict[asyncio.Task[None], Relay] = {}
        self._asides: set[asyncio.Task[None]] = set()
        """Those that ask for probes, or are turned away."""

    async def run(self) -> None:
        """Until SIGTERM, and the end of what is here then. Raises OSError for a port."""
        settings, loop = self._settings, asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._leaving.set)
        with contextlib.ExitStack() as open_to_the_end, contextlib.ExitStack() as open_to_clients:
            open_to_the_end.enter_context(_listening(settings.probe_port, self._probed))
            ports: list[tuple[int, type[Relay], Address | None]] = [
                (settings.port, HttpRelay, settings.to),
                (settings.grpc_port, Relay, settings.grpc_to),
            ]
            for port, kind, address in ports:
                if address is not None:
                    take = partial(self._begin, kind, Pods(address))
                    open_to_clients.enter_context(_listening(port, take))
            await self._leaving.wait()
            deadline = loop.time() + settings.drain_seconds
            await asyncio.sleep(min(ACCEPT_SECONDS, settings.drain_seconds / 4))
            open_to_clients.close()
            await self._finish(deadline)

    async def _finish(self, deadline: float) -> None:
        """What is here comes to its end."""
        loop = asyncio.get_running_loop()
        await _ended(self._relays, SETTLE_SECONDS)
        for task, relay in self._relays.items():
            if not relay.is_begun:
                task.cancel()
        await _ended(self._relays, deadline - loop.time())
        for task in self._relays:
            task.cancel()
        await _ended(self._relays, SETTLE_SECONDS)

    def _begin(self, kind: type[Relay], pods: Pods, client: socket.socket) -> None:
        relay = kind(client, pods, self._pages, self._counts, self._settings.max_wait)
        if len(self._relays) >= self._places:
            self._aside(relay.turn_away())
            return
        task = asyncio.get_running_loop().create_task(relay.run())
        self._relays[task] = relay
        task.add_done_callback(self._relays.pop)

    def _probed(self, client: socket.socket) -> None:
        self._aside(probes.answer(client, self._counts, lambda: not self._leaving.is_set()))

    def _aside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)


@contextlib.contextmanager
def _listening(port: int, take: Take) -> Any:
    """Has each connection taken; those that wait at the end, too. Raises OSError."""
    listener, loop = listen(port), asyncio.get_running_loop()
    listener.settimeout(0)

    def take_all() -> None:
        with contextlib.suppress(OSError):  # there are no more, or no file descriptors for them
            while True:
                take(listener.accept()[0])

    loop.add_reader(listener, take_all)
    with listener:
        yield
        loop.remove_reader(listener)
        take_all()


async def _ended(tasks: dict[asyncio.Task[None], Relay], seconds: float) -> None:
    if tasks:
        await asyncio.wait(list(tasks), timeout=max(0.0, seconds))


def _places(wanted: int) -> int:
    """For connections: as many as wanted, or as this process may have file descriptors for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * wanted + SPARE_DESCRIPTORS
    if needed <= soft or soft == resource.RLIM_INFINITY:
        return wanted
    soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, (soft - SPARE_DESCRIPTORS) // 2)
