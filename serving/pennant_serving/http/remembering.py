"""What goes the general way, remembered for a rehearsal once it has been answered.

Nothing is remembered of a request's headers but how its body is to be read. What the model's own
routes answer may depend on others: such requests are not remembered, for they could not be played.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pennant_serving.batching.timing import Times, wanted
from pennant_serving.codecs.media import JSON, form_of
from pennant_serving.metrics.telemetry import route_of
from pennant_serving.recent.memory import Recent
from pennant_serving.recent.sample import BODY_LIMIT_BYTES, OWN, Sample
from pennant_serving.recent.taking import ROUTES, sample_of, timing

LENGTH = b"inference-header-content-length"
TARGET_LIMIT_BYTES = 2048
NUMBER_LIMIT = 18
"""Digits of a length."""
HARMLESS = frozenset(
    b"accept accept-encoding accept-language cache-control connection content-length content-type"
    b" forwarded host keep-alive origin pragma priority referer te traceparent tracestate"
    b" user-agent via x-real-ip x-request-id x-forwarded-by x-forwarded-client-cert x-forwarded-for"
    b" x-forwarded-host x-forwarded-path x-forwarded-port x-forwarded-prefix x-forwarded-proto"
    b" x-forwarded-scheme x-forwarded-server x-forwarded-ssl".split()
)
HARMLESS_STARTS = (b"x-envoy-", b"x-b3-", b"sec-")
"""Headers, and how they start, that browsers, libraries and proxies send with every request. Who a
proxy let in (`x-forwarded-user`) is none of them: without it a route may refuse."""
INVOKED = "/invocations"


class Remembering:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, recent: Recent) -> None:
        self._app = app
        self._recent = recent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "POST"):
            await self._app(scope, receive, send)
            return
        passing = Passing(receive, send)
        wanted.set(passing.times)
        await self._app(scope, passing.receive, passing.send)
        sample = _sample(scope, passing)
        if sample is not None:
            self._recent.add(sample)


class Passing:
    """A request and its answer on their way through, as long as they are short."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.times = wanted.get() or Times()
        self.body = self.answer = b""
        self.is_long = self.is_whole = False
        self.status = 0
        self.answer_head_bytes = -1
        self._arrived = time.perf_counter()
        self.seconds = 0.0

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.body, self.is_long = _more(self.body, message, is_long=self.is_long)
            self._arrived = time.perf_counter()
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.answer_head_bytes = number_in(message.get("headers", ()), LENGTH)
        elif message["type"] == "http.response.body":
            # One byte too many says that the answer is too long.
            self.answer, _ = _more(
                self.answer, message, is_long=len(self.answer) > BODY_LIMIT_BYTES
            )
            self.is_whole = not message.get("more_body", False)
            self.seconds = time.perf_counter() - self._arrived
        await self._send(message)


def _more(before: bytes, message: Message, *, is_long: bool) -> tuple[bytes, bool]:
    body = message.get("body", b"")
    if is_long or not body:
        return before, is_long
    whole = before + bytes(body) if before else bytes(body)
    is_long = len(whole) > BODY_LIMIT_BYTES
    return (whole[: BODY_LIMIT_BYTES + 1], True) if is_long else (whole, False)


def _sample(scope: Scope, passing: Passing) -> Sample | None:
    """None of what was not answered with 2xx, is too long, or is not the model's."""
    if not 200 <= passing.status < 300 or passing.is_long or not passing.is_whole:
        return None
    route, protocol = route_of(scope)
    if protocol == "own":
        return _own_sample(scope, passing, route) if "pennant.template" in scope else None
    if (
        scope["method"] != "POST"
        or not route.endswith(("/infer", INVOKED))
        or protocol not in ROUTES
    ):
        return None
    headers = scope["headers"]
    media = form_of(_text(headers, b"content-type") or JSON) if route == INVOKED else JSON
    return sample_of(
        protocol,
        passing.body,
        passing.answer,
        passing.times,
        passing.seconds,
        media=sys.intern(media),
        head_bytes=number_in(headers, LENGTH),
        answer_head_bytes=passing.answer_head_bytes,
    )


def _own_sample(scope: Scope, passing: Passing, route: str) -> Sample | None:
    target: bytes = scope["raw_path"]
    if scope["query_string"]:
        target = target + b"?" + scope["query_string"]
    if route == "unmatched" or len(target) > TARGET_LIMIT_BYTES:
        return None
    if not all(
        name in HARMLESS or name.startswith(HARMLESS_STARTS) for name, _ in scope["headers"]
    ):
        return None
    return Sample(
        protocol=OWN,
        route=sys.intern(f"{scope['method']} {route}"),
        method=sys.intern(scope["method"]),
        target=target.decode("latin-1"),
        media=_text(scope["headers"], b"content-type"),
        head_bytes=-1,
        body=passing.body,
        answer=b"",
        answer_head_bytes=-1,
        rows=0,
        at=time.time(),
        **timing(passing.times, passing.seconds),
    )


def _text(headers: Any, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in headers if key == name), "")


def number_in(headers: Any, name: bytes) -> int:
    """The whole number that this header is; -1 where it is none."""
    text = _text(headers, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= NUMBER_LIMIT else -1
