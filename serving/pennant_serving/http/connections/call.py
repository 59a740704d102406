"""One request on the general way, through the application: uvicorn's, in the order of ours."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from pennant_serving.http.connections.answering import Answering
from pennant_serving.http.connections.sharing import FOREIGN, INSTEAD
from pennant_serving.metrics.telemetry import ENDED

ERRORS = logging.getLogger("uvicorn.error")
ASGI = {"version": "3.0", "spec_version": "2.4"}
"""Of which starlette needs not read on while it answers in parts, to see that the client has gone:
it would read the body away from the endpoint. `Call.leave` cancels the task."""


class Call(RequestResponseCycle):
    """Has an ASGI task while it is being answered."""

    def __init__(
        self, connection: Answering, scope: dict[str, Any], number: int, *, expects: bool
    ) -> None:
        super().__init__(
            scope=scope,  # type: ignore[arg-type]
            transport=connection.transport,
            flow=connection.flow,
            logger=ERRORS,
            access_logger=ERRORS,
            access_log=False,
            default_headers=connection.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=expects,
            keep_alive=True,
            on_response=self._answered,
        )
        self.number = number
        self._connection = connection
        self._task: asyncio.Task[None] | None = None
        self._is_last = False

    def start(self) -> None:
        """Its turn has come."""
        self._task = self._connection.run(self.run_asgi)

    async def run_asgi(self, app: Any) -> None:
        """uvicorn's, which ends the connection for whatever is raised."""
        await super().run_asgi(_harmless(self.scope.get(INSTEAD, app), self))

    def leave(self, status: int) -> None:
        """Nobody waits for its answer any more; `status` is how it counts if it has none."""
        if self.response_complete:
            return
        self.disconnected = True
        self.scope[ENDED] = None if self.response_started else status  # type: ignore[literal-required]
        self.message_event.set()  # who is reading the body is told so, as ASGI has it
        self.on_response = _nothing
        if self._task is not None:
            self._connection.loop.call_soon(self._task.cancel)

    def feed(self, body: bytes) -> None:
        """More of the request's body."""
        if not self.response_complete:
            self.body += body
            if len(self.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            self.message_event.set()

    def end(self) -> None:
        """That was all of its body."""
        self.more_body = False
        self.message_event.set()

    async def send(self, message: Any) -> None:
        """ASGI's. Whether the connection goes on is decided when the answer begins."""
        if not self.response_started and message["type"] == "http.response.start":
            if self.flow.write_paused and not self.disconnected:
                await self.flow.drain()
            # A client that was not told to go on with the body may send it yet, or not.
            unasked = self.waiting_for_100_continue and self.more_body
            self.keep_alive = self._connection.keeps(self.number, last=unasked)
            if FOREIGN in message:
                self.default_headers = []
            await super().send(message)
            # uvicorn would close at the end of the answer, even while the body is still arriving.
            self._is_last, self.keep_alive = not self.keep_alive, True
        else:
            await super().send(message)

    def _answered(self) -> None:
        self._connection.finished(is_last=self._is_last, is_arriving=self.more_body)


def scope_of(connection: Answering, method: bytes, version: str, target: bytes) -> dict[str, Any]:
    """An ASGI scope, without headers. Raises HttpParserInvalidURLError, UnicodeDecodeError."""
    url = httptools.parse_url(target)
    path = url.path.decode("ascii")
    return {
        "type": "http",
        "asgi": ASGI,
        "http_version": version,
        "server": connection.server,
        "client": connection.client,
        "scheme": "http",
        "method": method.decode("ascii"),
        "root_path": "",
        "path": unquote(path) if "%" in path else path,
        "raw_path": url.path,
        "query_string": url.query or b"",
        "state": {},
    }


def _harmless(app: Any, call: Call) -> Any:
    """An application whose errors after its answer end nothing: starlette raises what it has
    answered with 500, and the next request is on the connection already."""

    async def run(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except Exception:
            if not call.response_complete:
                raise
            ERRORS.exception("Exception in ASGI application")

    return run


def _nothing() -> None:
    """In the place of the connection, which is over."""
