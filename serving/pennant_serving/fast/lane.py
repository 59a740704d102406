"""The fast routes of one process: which requests they take, and the bytes of a response."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import orjson

from pennant_serving.batching.batcher import Batcher
from pennant_serving.batching.pool import Pool
from pennant_serving.errors import ServingError, content
from pennant_serving.fast.answers import Encoder
from pennant_serving.fast.requests import Asked, Decoder
from pennant_serving.metrics.histograms import Series
from pennant_serving.metrics.telemetry import Telemetry
from pennant_serving.model.model import Model
from pennant_serving.recent.memory import Recent

Headers = Iterable[tuple[bytes, bytes]]
FAST_BODY_BYTES = 65536
"""Of a body; what a larger one costs, it costs in other places."""
PLAIN = {
    b"content-type": (b"application/json", b"application/json; charset=utf-8"),
    b"accept": (b"*/*", b"application/json", b"application/json, */*"),
    b"accept-encoding": None,
    b"connection": (b"keep-alive", b"Keep-Alive"),
}
"""Headers that may ask for something else, unless they have these values (None: any will do)."""
SPECIAL = (b"expect", b"transfer-encoding", b"content-encoding", b"upgrade")
BINARY = b"inference-header-content-length"


@dataclass(frozen=True, slots=True)
class Route:
    """One protocol's inference."""

    path: str
    """As metrics name it."""
    protocol: str
    decode: Callable[[bytes], Asked | None]
    encode: Callable[[Any, str | None], bytes]
    answered: Series
    """The durations of requests that were answered with 200."""


class FastLane:
    """Closed until there is a model, and for ever when that takes no arrays."""

    def __init__(self, telemetry: Telemetry, recent: Recent | None = None) -> None:
        self.telemetry = telemetry
        self.recent = recent
        self.routes: dict[bytes, Route] = {}
        """By the request's target, as it is on the wire."""
        self.batcher: Batcher
        self.codecs: Pool
        self._defaults: object = None
        self._head = b""

    def open(self, model: Model) -> None:
        """Take requests for this model from now on."""
        self.batcher, self.codecs = model.batcher, model.codecs
        if model.batcher.array_spec is None:
            return
        decoder = Decoder(model.batcher.array_spec)
        encoder = Encoder(model.name, model.version)
        infer, versioned = "/v2/models/{model}/infer", "/v2/models/{model}/versions/{version}/infer"
        names = {"model": quote(model.name), "version": quote(model.version)}
        for path, protocol, decode, encode in (
            ("/invocations", "mlflow", decoder.mlflow, encoder.mlflow),
            (infer, "v2", decoder.v2, encoder.v2),
            (versioned, "v2", decoder.v2, encoder.v2),
        ):
            answered = self.telemetry.requests(protocol, path, 200)
            route = Route(path, protocol, decode, encode, answered)
            self.routes[path.format(**names).encode()] = route

    def head(self, defaults: Headers) -> bytes:
        """The start of every answer; the server makes a new list of defaults once a second."""
        if defaults is not self._defaults:
            self._defaults = defaults
            lines = [b"HTTP/1.1 200 OK", *(name + b": " + value for name, value in defaults)]
            self._head = b"\r\n".join([*lines, b"content-type: application/json\r\n"])
        return self._head

    def failed(self, route: Route, error: ServingError, defaults: Headers) -> tuple[bytes, bytes]:
        """Head and body of an answer that says what went wrong."""
        start = f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\n"
        more = "".join(f"{name}: {value}\r\n" for name, value in (error.headers or {}).items())
        head = start.encode() + self.head(defaults).partition(b"\r\n")[2] + more.encode()
        return head, orjson.dumps(content(route.path, error.code, str(error)))


def is_plain(headers: Headers, host: bytes | None) -> bool:
    """Whether a head asks this host for nothing but what every answer is: JSON for JSON, of known
    length."""
    length, hosts = None, 0
    for name, value in headers:
        if name == b"content-length":
            length = value
        elif name == b"host":
            hosts += 1
            if value != host:
                return False
        elif name in PLAIN:
            allowed = PLAIN[name]
            if allowed is not None and value not in allowed:
                return False
        elif name in SPECIAL or name == BINARY:
            return False
    if hosts != 1 or length is None or not length.isdigit():
        return False
    return int(length) <= FAST_BODY_BYTES
