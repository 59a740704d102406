"""Bytes to requests: what one connection's parser finds in them, in order."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import httptools

from pennant_serving.accesslog import request_id
from pennant_serving.connections import heads
from pennant_serving.connections.call import Call, scope_of
from pennant_serving.connections.limits import LARGEST_HEAD, Motion, Pace, is_head_too_long
from pennant_serving.connections.refusals import Refused
from pennant_serving.crowd import BEYOND
from pennant_serving.fast.exchange import Exchange
from pennant_serving.fast.lane import Route, is_plain
from pennant_serving.fast.requests import Asked
from pennant_serving.watch.record import SCOPE

if TYPE_CHECKING:
    from pennant_serving.connections.connection import HttpConnection

AT_ONCE = 1024
"""Requests of a connection that are held before the first of them is answered. They came together:
there are no more, the last of these answers ends the connection."""


class _Enough(Exception):  # noqa: N818 - stops the parser
    """What follows will not be answered."""


class Reader:
    """Small requests of numbers become an `Exchange` when they are complete; all others a `Call`,
    which gets its body as it arrives."""

    def __init__(self, connection: HttpConnection, now: float) -> None:
        self._connection = connection
        self._parser = _parser(self)
        self.number = 0
        """Of the request that arrived, or began to arrive, last."""
        self.last: int | None = None
        """The number of the request whose answer ends the connection."""
        self.is_deaf = False
        """Nothing more is read."""
        self.is_receiving = False
        self.received = 0
        """Bytes of the current request's body."""
        self._since = now
        self._pace: Pace | None = None
        """Made when somebody asks: most requests arrive sooner."""
        self.call: Call | None = None
        """Of the request that is arriving, once its head has."""
        self._head = 0
        self._is_upgrade = False
        self._host: bytes | None = None
        self._method, self._version, self._url = b"", "", b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._route: Route | None = None
        self._body = b""

    def feed(self, data: bytes) -> None:
        """Take what has arrived. Raises Refused for what is no request."""
        if self.is_deaf:
            return
        number = self.number
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._go_on(memoryview(data)[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._stop_at(error)
        if self.is_receiving and number == self.number:  # more of the same
            self._head += len(data)
            if is_head_too_long(self._head, self.received):
                raise Refused(431, f"more than {LARGEST_HEAD} bytes of headers")

    def stop(self) -> Call | None:
        """Read nothing any more; the call whose request was arriving, if there is one."""
        call, self.call = self.call, None
        self.is_deaf, self.is_receiving = True, False
        return call

    def close(self) -> None:
        """The connection is gone."""
        self.stop()
        del self._parser, self._connection  # which refer to this

    def motion(self, now: float) -> Motion | None:
        """Of the request that is arriving; None when it is we who do not go on."""
        call = self.call
        if self._connection.flow.read_paused or (call and call.waiting_for_100_continue):
            self.restart(now)
            return None
        if self._pace is None:
            self._pace = Pace(self._since)
        motion = self._pace.motion(now, self.received)
        is_answered = call is not None and call.response_complete  # the rest is for nobody
        return replace(motion, moved=0) if is_answered else motion

    def restart(self, now: float) -> None:
        """Count from now on."""
        self._pace = Pace(now, self.received)

    def _go_on(self, rest: memoryview) -> None:
        """Read what follows a head that asks for another protocol, which the parser takes for that
        other one: we go on in HTTP/1.1, as a server may."""
        while True:
            head = heads.without_upgrade(self._method, self._url, self._version, self._headers)
            self._parser = _parser(self)
            try:
                self._parser.feed_data(head)
                self._parser.feed_data(rest)
            except httptools.HttpParserUpgrade as upgrade:
                rest = rest[upgrade.args[0] :]
                continue
            except httptools.HttpParserError as error:
                self._stop_at(error)
            return

    def _stop_at(self, error: httptools.HttpParserError) -> None:
        """Raises Refused, unless what follows is only not to be answered."""
        cause = error.__context__
        if isinstance(cause, Refused):
            raise cause from None
        if not isinstance(cause, _Enough):
            raise Refused(400, "Invalid HTTP request received.") from None
        self.is_deaf = True

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._is_upgrade:  # the same request again
            self._is_upgrade = False
        else:
            if self.last is None and len(self._connection.due) >= AT_ONCE:
                self.last = self.number
            if self.last is not None and self.number >= self.last:
                raise _Enough
            self.number += 1
            self._head = self.received = 0
            self.is_receiving = True
            self._since, self._pace = self._connection.loop.time(), None
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
        if (
            route is not None
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
            self._is_upgrade, self._method, self._version = True, method, version
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
        self.received += len(body)
        if self._route is not None:
            self._body += body
        elif self.call is not None:
            self.call.feed(body)

    def on_message_complete(self) -> None:
        if self._is_upgrade:
            return
        self.is_receiving = False
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
        exchange = Exchange(self._connection, lane, route, asked, self._started, self.number)
        if lane.telemetry.access_log is not None:
            exchange.told = (request_id(self._headers), self._url.decode())
        self._connection.expect(exchange)

    def _make_call(self, method: bytes, version: str) -> Call:
        connection = self._connection
        scope = scope_of(connection, method, version, self._url)
        scope["headers"] = self._headers
        if connection.is_beyond:
            scope[BEYOND] = connection.limits.most
        if self._record is not None:
            scope[SCOPE] = self._record
        expects = version == "1.1" and heads.expects(self._headers)
        self.call = call = Call(connection, scope, self.number, expects=expects)
        connection.expect(call)
        return call


def _parser(reader: Reader) -> httptools.HttpRequestParser:
    parser = httptools.HttpRequestParser(reader)
    # What follows a request that ends its connection is not an error, it is not read.
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser
