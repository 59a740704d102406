"""One connection of uvicorn's server: its requests are answered in order, within the limits."""

from __future__ import annotations

import asyncio
import random
import socket
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.utils import get_local_addr, get_remote_addr

from pennant_serving.http.accepting import Waiting
from pennant_serving.http.connections.answering import Answering
from pennant_serving.http.connections.arriving import Refused
from pennant_serving.http.connections.limits import (
    CROWDED_SHARE,
    JITTER_SHARE,
    Facts,
    Verdict,
    verdict,
)
from pennant_serving.http.connections.reading import Reader
from pennant_serving.http.connections.refusals import Refusal
from pennant_serving.http.connections.sight import Leaving
from pennant_serving.http.connections.turns import Turns
from pennant_serving.lifecycle.lifecycle import Phase

CLIENT_CLOSED_REQUEST = 499
"""How a request counts whose client is gone; nginx's."""


class HttpConnection(Answering):
    """What uvicorn makes for each connection. A subclass for each server is made below."""

    waiting: Waiting | None
    _reader: Reader

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        now, limits, connections = self.loop.time(), self.limits, self._server.connections
        self.transport, self.flow = transport, FlowControl(transport)
        self.server, self.client = get_local_addr(transport), get_remote_addr(transport)
        self._turns, self._leaving = Turns(self.flow), Leaving(transport)
        self.due, self.expect = self._turns.due, self._turns.add
        self._reader = Reader(self, now)
        self._idle_since = now
        self._ends_at = now + limits.max_age * random.uniform(1 - JITTER_SHARE, 1 + JITTER_SHARE)  # noqa: S311
        self._is_lingering = False
        connections.add(self)  # type: ignore[arg-type]
        self.is_beyond = len(connections) > limits.max_connections
        _send_at_once(transport)
        if self.waiting is not None:
            self.waiting.take(lambda: type(self)(*self._made_of, self.loop))

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
        except Refused as refused:
            self._refuse(refused)

    def eof_received(self) -> None:
        """The client is gone, or so it counts: the transport closes."""
        self._turns.drop_all(CLIENT_CLOSED_REQUEST)

    def connection_lost(self, _error: Exception | None) -> None:
        self._server.connections.discard(self)
        self._turns.drop_all(CLIENT_CLOSED_REQUEST)
        self.flow.resume_writing()
        self._reader.close()

    def restart(self, now: float) -> None:
        """Count from now on how long the client takes for what it has begun."""
        self._leaving.restart()
        self._reader.restart(now)

    def look(self, now: float) -> None:
        """Hold the client to the limits; called every second."""
        decision = verdict(self.limits, self._facts(now))
        if decision is Verdict.CUT:
            self._turns.drop_all(CLIENT_CLOSED_REQUEST)
            self.transport.abort()
        elif decision is Verdict.TOO_LATE:
            self._refuse(Refused(408, "the request did not arrive in time"))
        elif decision is Verdict.CLOSE:
            self.transport.close()

    def _refuse(self, refused: Refused) -> None:
        """Answer, in its turn, what has not been understood, and nothing after it."""
        call = self._reader.call
        self._reader.stop()
        if call is not None and call.response_started:  # it has its answer
            if call.response_complete:
                self.transport.close()
            call.keep_alive = False
            return
        if call is not None:
            self._turns.drop(refused.status)
        self._turns.add(Refusal(self, refused))

    def _facts(self, now: float) -> Facts:
        reader, limits = self._reader, self.limits
        is_free = not self._turns.due and not reader.is_receiving
        return Facts(
            arriving=reader.motion(now),
            leaving=self._leaving.motion(now, self._idle_since),
            idle=now - self._idle_since if is_free else None,
            is_beyond=self.is_beyond,
            is_crowded=len(self._server.connections) > limits.max_connections * CROWDED_SHARE,
            is_draining=self.lifecycle.phase is Phase.DRAINING,
            is_lingering=self._is_lingering,
        )


def connection_class(**values: Any) -> type[HttpConnection]:
    """The class of a server's connections, which have these in common."""
    return type("ServerConnection", (HttpConnection,), values)


def _send_at_once(transport: asyncio.Transport) -> None:
    """Without this a small response may wait 40 ms for the client's delayed ACK."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
