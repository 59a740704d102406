"""Bytes to requests: what one connection's parser finds in them, in order."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from pennant_serving.accesslog import request_id
from pennant_serving.fast.exchange import CopiedExchange, Exchange
from pennant_serving.fast.lane import Route, is_plain
from pennant_serving.fast.requests import Asked
from pennant_serving.http.connections import heads
from pennant_serving.http.connections.answering import Answering
from pennant_serving.http.connections.arriving import Refused
from pennant_serving.http.connections.call import Call, scope_of
from pennant_serving.http.connections.limits import Motion
from pennant_serving.http.connections.parsing import Enough, Parsing
from pennant_serving.http.connections.sharing import INSTEAD, Chosen
from pennant_serving.http.crowd import BEYOND
from pennant_serving.sampling.record import SCOPE

UNANSWERED_REQUEST_LIMIT = 1024
"""Requests of a connection that are held before the first of them is answered. They came together:
there are no more, the last of these answers ends the connection."""


class Reader(Parsing):
    """Small requests of numbers become an `Exchange` when they are complete; all others a `Call`,
    which gets its body as it arrives."""

    def __init__(self, connection: Answering, now: float) -> None:
        super().__init__(now)
        self._connection = connection
        self.call: Call | None = None
        """Of the request that is arriving, once its head has."""
        self._host: bytes | None = None
        self._url = self._body = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._route: Route | None = None
        self._chosen: Chosen | None = None
        """What else becomes of the request."""

    def stop(self) -> None:
        """Read nothing any more, nor for the call whose body was arriving."""
        super().stop()
        self.call = None

    def close(self) -> None:
        """The connection is gone."""
        self.stop()
        del self._parser, self._connection  # which refer to this

    def motion(self, now: float) -> Motion | None:
        """Of the request that is arriving; None when none is, or it is we who do not go on."""
        call = self.call
        if not self._arriving.is_on:
            return None
        if self._connection.flow.read_paused or (call and call.waiting_for_100_continue):
            self._arriving.restart(now)
            return None
        return self._arriving.motion(now, is_answered=bool(call and call.response_complete))

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._next_head:  # the same request
            self._next_head = b""
        else:
            if self.last is None and len(self._connection.due) >= UNANSWERED_REQUEST_LIMIT:
                self.last = self.number
            if self.last is not None and self.number >= self.last:
                raise Enough
            self.number += 1
            self._arriving.begin(self._connection.loop.time())
        self._url, self._headers = b"", []
        self._route, self._body = None, b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._started = time.perf_counter()
        parser, connection = self._parser, self._connection
        method, version = parser.get_method(), parser.get_http_version()
        if self._host is None:
            self._check_host(version)
        watch = connection.watch
        self._record = None if watch is None else watch.begin(self._headers)
        route = connection.lane.routes.get(self._url)
        if connection.choosing is not None and not parser.should_upgrade():
            self._chosen = connection.choosing.choose(method, self._url, self._headers)
        if (
            route is not None
            and (self._chosen is None or self._chosen.copy is not None)
            and self._record is None
            and method == b"POST"
            and version == "1.1"
            and not connection.is_beyond
            and is_plain(self._headers, self._host)
        ):
            self._route = route
            return
        self._check_host(version)
        if method == b"CONNECT":
            raise Refused(400, "CONNECT is for proxies")
        if parser.should_upgrade():
            self._next_head = heads.without_upgrade(method, self._url, version, self._headers)
        else:
            if version != "1.1" or not parser.should_keep_alive():
                self.last = self.number
            self._make_call(method, version)

    def _check_host(self, version: str) -> None:
        """Raises Refused. A client sends the same Host with all requests of a connection."""
        hosts = [value for name, value in self._headers if name == b"host"]
        wrong = heads.wrong_host(hosts, self._url, version)
        if wrong is not None:
            raise Refused(400, wrong)
        self._host = hosts[0] if hosts else None

    def on_body(self, body: bytes) -> None:
        self._arriving.received += len(body)
        if self._route is not None:
            self._body += body
        elif self.call is not None:
            self.call.feed(body)

    def on_message_complete(self) -> None:
        if self._next_head:
            return
        self._arriving.is_on = False
        route = self._route
        if route is not None:
            asked = route.decode(self._body)
            if asked is not None:
                self._exchange(route, asked)
                return
            self._make_call(b"POST", "1.1").feed(self._body)
        if self.call is not None:
            self.call.end()
            self.call = None

    def _exchange(self, route: Route, asked: Asked) -> None:
        lane = self._connection.lane
        given = (self._connection, lane, route, asked, self._started, self.number)
        exchange = Exchange(*given) if self._chosen is None else self._copied(*given)
        if lane.telemetry.access_log is not None:
            exchange.logged_as = (request_id(self._headers), self._url.decode())
        if lane.recent is not None:
            exchange.remember(self._body)
        self._connection.expect(exchange)

    def _copied(self, *given: Any) -> Exchange:
        exchange, chosen, self._chosen = CopiedExchange(*given), self._chosen, None
        assert self._route is not None
        assert chosen is not None
        assert chosen.copy is not None  # or it would go the general way
        about = self._url, self._headers, self._route.protocol, self._body
        exchange.copy = partial(chosen.copy, *about)
        return exchange

    def _make_call(self, method: bytes, version: str) -> Call:
        connection = self._connection
        scope = scope_of(connection, method, version, self._url)
        expects = version == "1.1" and heads.expects(self._headers)
        scope["headers"], self._headers = self._headers, []  # not what trailers are added to
        if connection.is_beyond:
            scope[BEYOND] = connection.limits.max_connections
        if self._record is not None:
            scope[SCOPE] = self._record
        if self._chosen is not None and not connection.is_beyond:
            scope[INSTEAD] = self._chosen.app
        self._chosen = None
        self.call = call = Call(connection, scope, self.number, expects=expects)
        connection.expect(call)
        return call
