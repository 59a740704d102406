"""Connections that are waited for while the other side lives, by http and https."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.request import AbstractHTTPHandler, Request

DEAD = {socket.TCP_KEEPIDLE: 15, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}
"""Seconds until a silent peer is asked whether it is there, between questions, and how many."""


class Plain(AbstractHTTPHandler):
    """http. `silence`: seconds without a byte after which nothing more is expected."""

    def __init__(self, silence: float) -> None:
        super().__init__()
        self._silence = silence

    http_request = AbstractHTTPHandler.do_request_

    def http_open(self, req: Request) -> HTTPResponse:
        """As urllib does, with more patience."""
        return self.do_open(partial(_Plain, silence=self._silence), req)


class Encrypted(AbstractHTTPHandler):
    """https. `context` is for a server's address: a redirect may lead to another's."""

    def __init__(self, silence: float, context: Callable[[str], ssl.SSLContext]) -> None:
        super().__init__()
        self._silence = silence
        self._context_for = context

    https_request = AbstractHTTPHandler.do_request_

    def https_open(self, req: Request) -> HTTPResponse:
        """As urllib does, with the context that is for this server."""
        context = self._context_for(req.full_url)
        return self.do_open(partial(_Encrypted, silence=self._silence, context=context), req)


class _Plain(HTTPConnection):
    def __init__(self, host: str, *, silence: float, **options: Any) -> None:
        super().__init__(host, **options)
        self._silence = silence

    def connect(self) -> None:
        super().connect()
        wait_long(self.sock, self._silence)


class _Encrypted(HTTPSConnection):
    def __init__(
        self, host: str, *, silence: float, context: ssl.SSLContext, **options: Any
    ) -> None:
        super().__init__(host, context=context, **options)
        self._silence = silence
        self._trust = context

    def connect(self) -> None:
        # A server that is busy may begin late with TLS too.
        HTTPConnection.connect(self)
        wait_long(self.sock, self._silence)
        name = self._tunnel_host or self.host  # type: ignore[attr-defined]  # as http.client does
        self.sock = self._trust.wrap_socket(self.sock, server_hostname=name)


def wait_long(connection: socket.socket, silence: float) -> None:
    """A peer may be silent for long while it lives: its machine, not its program, is asked."""
    connection.settimeout(silence)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in DEAD.items():
        connection.setsockopt(socket.IPPROTO_TCP, option, value)
