"""How long a connection lives.

Moving a Service's selector does not move connections that are established. So each connection ends,
after a while, with a response that says `Connection: close`, and the client's next request goes to
whoever has the traffic then. Only a response ends it: closing an idle connection could meet a
request that is already on its way.
"""

from __future__ import annotations

import asyncio
import random
import socket
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pennant_serving.lifecycle import Lifecycle, Phase

JITTER = 0.2
"""So that the connections of one client do not all end in the same moment."""


def protocol_class(lifecycle: Lifecycle, max_age: float) -> type[HttpToolsProtocol]:
    """uvicorn's protocol, whose connections end `max_age` seconds (+-20 %) after they began."""

    class AgingProtocol(HttpToolsProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            lifetime = max_age * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
            self._ends_at = self.loop.time() + lifetime
            _send_at_once(transport)

        def on_headers_complete(self) -> None:
            super().on_headers_complete()
            # The request's task has not run yet. A cycle that must not be kept alive says so in
            # its response, and closes once that is sent.
            if lifecycle.phase is Phase.DRAINING or self.loop.time() >= self._ends_at:
                self.cycle.keep_alive = False

    return AgingProtocol


def end_with_current_response(connections: set[Any]) -> None:
    """Let the requests that are being answered be the last ones of their connections."""
    for connection in connections:
        if connection.cycle is not None:
            connection.cycle.keep_alive = False


def _send_at_once(transport: asyncio.Transport) -> None:
    """Without this a small response may wait 40 ms for the client's delayed ACK."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
