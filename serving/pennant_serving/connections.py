"""A connection: how its requests are told apart, how long it lives, how long it may dawdle.

Moving a Service's selector does not move connections that are established. So each connection ends,
after a while, with a response that says `Connection: close`, and the client's next request goes to
whoever has the traffic then. Only a response ends it: closing an idle connection could meet a
request that is already on its way.

Requests for the fast lane are kept from uvicorn until they turn out to be more than it can do; then
uvicorn sees them as if they had just arrived. Its own bookkeeping (pipelining, draining, the end)
goes by `self.cycle`, which is an `Exchange` while the lane has a request.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pennant_serving.accepting import Waiting
from pennant_serving.accesslog import request_id
from pennant_serving.crowd import BEYOND
from pennant_serving.fast.exchange import Exchange
from pennant_serving.fast.lane import FastLane, Headers, Route, is_plain
from pennant_serving.lifecycle import Lifecycle, Phase
from pennant_serving.refusal import refusal
from pennant_serving.watch.record import SCOPE
from pennant_serving.watch.sampling import Watch

JITTER = 0.2
"""So that the connections of one client do not all end in the same moment."""
IDLE_SECONDS = 75
"""Longer than common proxies keep idle connections, so that it is they who close them."""
SLOWEST = 16 * 1024
"""Bytes a second that a body must come at, beyond its first seconds."""
LARGEST_HEAD = 64 * 1024
"""Bytes of a request's head that come after its first packet."""
CROWDED = 0.75
"""The share of all places from which on the idle ones leave theirs early."""
BEYOND_SECONDS = 1.0
"""For a request on a connection beyond the limit to arrive."""


class PennantProtocol(HttpToolsProtocol):
    """uvicorn's protocol with the fast lane in front. A subclass for each server is made below."""

    lifecycle: Lifecycle
    lane: FastLane
    waiting: Waiting | None
    max_age: float
    timeout: float
    most: int

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        now = self.loop.time()
        self._ends_at = now + self.max_age * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
        self._route: Route | None = None
        self._exchange: Exchange | None = None
        self._receiving = False
        self._received = 0
        self._since = now
        self._beyond = len(self.connections) > self.most
        self._messages = 0
        self._head = 0
        self._unsent = (0, now)
        _send_at_once(transport)
        if self.waiting is not None:
            self.waiting.take(self._another)

    def _another(self) -> PennantProtocol:
        return type(self)(self.config, self.server_state, self.app_state, self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._exchange is not None:
            self._exchange.abandon()
            self._exchange = None
        self.cycle = None  # type: ignore[assignment]  # it refers to this

    def data_received(self, data: bytes) -> None:
        message = self._messages
        super().data_received(data)
        if self._receiving and message == self._messages:  # more of the same
            self._head += len(data)
            if self._head > LARGEST_HEAD + 8 * self._received:  # small chunks have long heads
                self._refuse(431, f"more than {LARGEST_HEAD} bytes of headers")

    def on_message_begin(self) -> None:
        self._messages += 1
        self._head = 0
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._receiving = True
        self._received = 0
        self._since = self.loop.time()

    def on_headers_complete(self) -> None:
        self._started = time.perf_counter()
        route = self.lane.routes.get(self.url)
        if route is not None and self._is_fast():
            self._route = route
            self._body = b""
        else:
            self._hand_to_uvicorn()

    def on_body(self, body: bytes) -> None:
        self._received += len(body)
        if self._route is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        self._receiving = False
        route = self._route
        if route is None:
            super().on_message_complete()
            return
        self._route = None
        body, self._body = self._body, b""
        asked = route.decode(body)
        if asked is None:
            self._hand_to_uvicorn()
            super().on_body(body)
            super().on_message_complete()
            return
        exchange = Exchange(self, self.lane, route, asked, self._started)
        if self.lane.telemetry.access_log is not None:
            exchange.told = (request_id(self.headers), self.url.decode())
        self.cycle = exchange  # type: ignore[assignment]
        self._exchange = exchange
        exchange.start()

    def respond(self, exchange: Exchange, head: bytes, body: bytes) -> None:
        """Send a response of the fast lane, and go on with what has arrived meanwhile."""
        exchange.response_complete = True
        self._exchange = None
        if self.transport.is_closing():
            return
        keep = self.pipeline or (exchange.keep_alive and not self._is_over())
        end = b"" if keep else b"connection: close\r\n"
        self.transport.write(b"%scontent-length: %d\r\n%s\r\n%s" % (head, len(body), end, body))
        if not keep:
            self.transport.close()
        self._since = self.loop.time()
        self.server_state.total_requests += 1
        if self.flow.read_paused or self.pipeline:
            self.on_response_complete()

    def shutdown(self) -> None:
        """Close now, or with the response to what is arriving or being answered."""
        self._ends_at = 0.0
        if not self._receiving:
            super().shutdown()

    def hurry(self, now: float) -> None:
        """Called every second: end what has been idle, or arriving, for too long."""
        waited = now - self._since
        if self._receiving:
            patience = BEYOND_SECONDS if self._beyond else self.timeout
            if waited > patience + self._received / SLOWEST:
                self._refuse(408, f"the request did not arrive within {patience:g} s")
        elif self._is_free():
            if waited > self._idle_seconds():
                self.transport.close()
        elif self._is_stalled(now):
            self.transport.abort()

    @property
    def default_headers(self) -> Headers:
        """That every response carries."""
        return self.server_state.default_headers

    def send_400_response(self, msg: str) -> None:
        """uvicorn's answer to what is not HTTP."""
        self._refuse(400, msg)

    def _refuse(self, status: int, why: str) -> None:
        """Answer without having understood the request, and close."""
        lines = b"".join(b"%s: %s\r\n" % header for header in self.default_headers)
        self.transport.write(refusal(status, why, lines))
        self.transport.close()

    def _idle_seconds(self) -> float:
        """How long this connection may be idle: hardly, when others need its place."""
        if self._beyond:
            return BEYOND_SECONDS
        is_crowded = len(self.connections) > self.most * CROWDED
        return self.max_age if is_crowded else IDLE_SECONDS

    def _is_stalled(self, now: float) -> bool:
        """Whether the client has read nothing of its response for as long as a request may take."""
        size = self.transport.get_write_buffer_size()
        if size != self._unsent[0]:
            self._unsent = (size, now)
        return size > 0 and now - self._unsent[1] > self.timeout

    def _is_free(self) -> bool:
        return (self.cycle is None or self.cycle.response_complete) and not self.flow.write_paused

    def _is_over(self) -> bool:
        is_old = self.loop.time() >= self._ends_at
        return is_old or self._beyond or self.lifecycle.phase is Phase.DRAINING

    def _is_fast(self) -> bool:
        parser = self.parser
        return (
            parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and self._is_free()
            and not self._beyond
            and is_plain(self.headers)
        )

    def _hand_to_uvicorn(self) -> None:
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)  # it is in the scope
        if self._beyond:
            self.scope[BEYOND] = self.most  # type: ignore[literal-required]
        super().on_headers_complete()
        # The request's task has not run yet. A cycle that must not be kept alive says so in its
        # response, and closes once that is sent.
        if self._is_over():
            self.cycle.keep_alive = False


class WatchedProtocol(PennantProtocol):
    """Draws requests that are recorded; those go the general way."""

    watch: Watch

    def on_headers_complete(self) -> None:
        self._record = self.watch.begin(self.headers)
        super().on_headers_complete()

    def _is_fast(self) -> bool:
        return self._record is None and super()._is_fast()

    def _hand_to_uvicorn(self) -> None:
        super()._hand_to_uvicorn()
        self.scope[SCOPE] = self._record  # type: ignore[literal-required]


def protocol_class(
    lifecycle: Lifecycle,
    lane: FastLane,
    waiting: Waiting | None,
    *,
    max_age: float,
    timeout: float,
    most: int,
) -> type[HttpToolsProtocol]:
    """The protocol of a server, whose connections end `max_age` seconds (+-20 %) after they began,
    and must bring their requests within about `timeout` seconds; it keeps `most` of them. Where
    several processes wait for connections, each takes one at a time, so there is no `waiting`."""
    limits = {"max_age": max_age, "timeout": timeout, "most": most}
    values = {"lifecycle": lifecycle, "lane": lane, "waiting": waiting, **limits}
    watch = lane.telemetry.watch
    if watch is None:
        return type("ServerProtocol", (PennantProtocol,), values)
    return type("ServerProtocol", (WatchedProtocol,), values | {"watch": watch})


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
