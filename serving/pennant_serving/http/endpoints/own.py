"""The adapter's own routes, which exist once it has loaded, under the limits that hold for all.

They are starlette's and stay as they are, with their middleware, their names and methods. Only
what starlette would run in a thread of its own waits for one of the model's, see `threads`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.routing import BaseRoute, Match, Router
from starlette.types import Message, Receive, Scope, Send

from pennant_serving.batching.batcher import Batcher
from pennant_serving.errors import TimedOut, Unavailable
from pennant_serving.http.endpoints import paths, threads
from pennant_serving.metrics.telemetry import TEMPLATE


class AdapterRoutes:
    """An ASGI app that hands on to the adapter's routes."""

    def __init__(self) -> None:
        self._router: Router | None = None
        self._batcher: Batcher
        self._templates: dict[int, str] = {}

    def open(self, routes: Sequence[BaseRoute], batcher: Batcher) -> None:
        """Serve these routes from now on, their plain functions in the model's threads."""
        threads.divert()
        self._router, self._batcher = Router(list(routes)), batcher
        self._templates = {id(route): path for route, path in paths.walk(self._router.routes)}

    @property
    def paths(self) -> list[tuple[str, str]]:
        """Method and path of each route, for the documentation."""
        return paths.listed(self._router.routes) if self._router else []

    def answers(self, method: str, path: str) -> bool:
        """Whether one of them would be asked, whatever the host."""
        routes = self._router.routes if self._router else ()
        scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
        return any(route.matches(scope)[0] is Match.FULL for route in routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._router is None:
            raise Unavailable("the model is still being loaded")
        threads.of_model.set(self._batcher)
        timed = _Timed(self._batcher.limits.timeout, receive, send)
        try:
            async with timed.running:
                await self._router(scope, timed.receive, timed.send)
        except TimeoutError:
            if not timed.running.expired():
                raise
            raise TimedOut(f"no answer within {timed.seconds:g} s") from None
        finally:
            scope[TEMPLATE] = self._templates.get(id(scope.get("route")), "")


class _Timed:
    """A request that has a time-out until its answer begins, which stands still while the body
    arrives: for that the connection has a limit."""

    def __init__(self, seconds: float, receive: Receive, send: Send) -> None:
        self.seconds = seconds
        self.running = asyncio.timeout(seconds)
        self._receive = receive
        self._send = send
        self._is_complete = False

    async def receive(self) -> Message:
        if self._is_complete:
            return await self._receive()
        before = self.running.when()
        self.running.reschedule(None)
        try:
            message = await self._receive()
            self._is_complete = not message.get("more_body", False)
            before = asyncio.get_running_loop().time() + self.seconds
        finally:
            self._go_on(before)
        return message

    async def send(self, message: Message) -> None:
        self._is_complete = True
        self._go_on(None)
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            threads.of_model.set(None)  # what is done in the background nobody waits for

    def _go_on(self, when: float | None) -> None:
        if not self.running.expired():
            self.running.reschedule(when)
