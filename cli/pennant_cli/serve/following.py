"""Two servers behind one socket: the one that serves, and the one that will.

Observe (the registry, the servers), decide (`next_step`), act; and again when something happened.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

from pennant_cli.exit_codes import CommandError
from pennant_cli.serve.aside import aside
from pennant_cli.serve.bundles import Bundles, FetchedBundle
from pennant_cli.serve.example import try_it
from pennant_cli.serve.messages import Messages, reason_of
from pennant_cli.serve.order import Order
from pennant_cli.serve.server import RefusedError, VersionServer
from pennant_cli.serve.steps import (
    Revision,
    Situation,
    Step,
    next_step,
    pause_seconds,
    still_refused,
)
from pennant_registry.errors import RegistryError, RegistryUnreachableError

SERVED_LONG_SECONDS = 60.0
"""A server that dies after that dies for the first time."""


class Following:
    """Until SIGINT or SIGTERM; a second one ends the servers without their draining."""

    def __init__(self, order: Order, bundles: Bundles, listener: socket.socket) -> None:
        self._order = order
        self._bundles = bundles
        self._listener = listener
        self._messages = Messages(order, listener.getsockname()[1])
        self._now = Situation()
        self._changed = asyncio.Event()
        self._servers: dict[VersionServer, asyncio.Task[None]] = {}
        self._serving: VersionServer | None = None
        self._since = 0.0
        self._coming: asyncio.Task[None] | None = None
        self._failures: Counter[Revision] = Counter()
        self._hopeless = ""
        self._ends = False

    async def run(self) -> None:
        """Raises CommandError and RegistryError where nothing can ever serve."""
        following = asyncio.ensure_future(self._follow())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end, following)
        try:
            await asyncio.wait((following,))
        finally:
            self._serving = None
            self._listener.close()  # or who connects now would wait for nobody
            for server in self._servers:
                server.drain()
            await asyncio.gather(*self._servers.values())
        if not following.cancelled():
            following.result()

    def _end(self, following: asyncio.Future[None]) -> None:
        if self._ends:
            for server in self._servers:
                server.kill()
        self._ends = True
        following.cancel()

    async def _follow(self) -> None:
        desired = await aside(self._bundles.desired)
        self._change(desired=desired)
        if desired is None:
            self._messages.not_set(None)
            self._hopeless = f"{self._order.target} is not set: point it at a version first"
        async with asyncio.TaskGroup() as tasks:
            polling = tasks.create_task(self._poll())
            while self._order.poll or not self._hopeless:
                self._changed.clear()
                self._act(next_step(self._now), tasks)
                await self._changed.wait()
            polling.cancel()
        raise CommandError(self._hopeless)

    async def _poll(self) -> None:
        while self._order.poll:
            await asyncio.sleep(self._order.poll.total_seconds())
            try:
                desired = await aside(self._bundles.desired)
            except RegistryError as error:
                self._messages.registry_away(str(error), self._now.good)
                continue
            self._messages.registry_answers()
            if desired != self._now.desired:
                if desired is None:
                    self._messages.not_set(self._now.good)
                refused = still_refused(self._now.refused, desired)
                self._change(desired=desired, refused=refused)

    def _act(self, step: Step, tasks: asyncio.TaskGroup) -> None:
        if step.drop and self._coming is not None:
            self._coming.cancel()
            self._now = replace(self._now, coming=None)
        if step.load is not None:
            self._now = replace(self._now, coming=step.load)
            self._coming = tasks.create_task(self._bring_up(step.load))

    async def _bring_up(self, revision: Revision) -> None:
        begun = time.monotonic()
        self._messages.loads(revision)
        try:
            bundle = await aside(partial(self._bundles.fetch, revision))
            server = await self._started(bundle)
        except (RegistryUnreachableError, OSError) as error:
            self._pause(revision, f"cannot be fetched: {error}")
            self._change(coming=None)
        except (RegistryError, RefusedError) as error:
            self._refuse(revision, reason_of(error))
        else:
            self._switch(server, bundle, time.monotonic() - begun)

    async def _started(self, bundle: FetchedBundle) -> VersionServer:
        """A server that is ready. Raises RefusedError."""
        server = await VersionServer.start(bundle, self._order, self._listener)
        self._servers[server] = asyncio.create_task(self._watch(server))
        try:
            await server.ready()
        except asyncio.CancelledError:
            server.drain()
            raise
        return server

    def _switch(self, server: VersionServer, bundle: FetchedBundle, seconds: float) -> None:
        """From here on the new one accepts, and the old one does not."""
        if self._now.good is None:
            self._messages.serves_first(server.revision, try_it(bundle.path, self._messages.url))
        else:
            self._messages.serves(server.revision, seconds)
        if self._serving is not None:
            self._serving.drain()
        self._serving, self._since = server, time.monotonic()
        self._change(serving=server.revision, good=server.revision, coming=None)

    async def _watch(self, server: VersionServer) -> None:
        code = await server.watch()
        del self._servers[server]
        if server is self._serving:
            self._serving = None
            if time.monotonic() - self._since > SERVED_LONG_SECONDS:
                del self._failures[server.revision]
            self._pause(server.revision, f"ended with exit code {code}")
            self._change(serving=None)
        elif server.is_draining and server.revision not in (self._now.coming, self._now.good):
            self._bundles.discard(server.revision)

    def _pause(self, revision: Revision, why: str) -> None:
        self._failures[revision] += 1
        seconds = pause_seconds(self._failures[revision])
        self._messages.retries(revision, why, seconds)
        self._change(paused=revision)
        asyncio.get_running_loop().call_later(seconds, self._resume, revision)

    def _resume(self, revision: Revision) -> None:
        if self._now.paused == revision:
            self._change(paused=None)

    def _refuse(self, revision: Revision, reason: str) -> None:
        good = self._now.good
        if good is None:
            self._hopeless = f"version {revision} refused: {reason}"
        if good or self._order.poll:
            self._messages.refused(revision, reason, good)
        if revision == good:
            self._pause(revision, "served before")
        self._change(coming=None, refused=revision)

    def _change(self, **facts: Any) -> None:
        self._now = replace(self._now, **facts)
        self._changed.set()
