"""Samples through an application like the one that live requests go through, one after the other.

It is the same code from the parsed head to the written answer: codecs, signature, batcher, the
model's own routes. What differs is that nobody counts, logs or remembers it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from pennant_serving.batching.timing import Times, wanted
from pennant_serving.errors import culprit
from pennant_serving.http.app import create_app
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.metrics.telemetry import Telemetry
from pennant_serving.model.model import Model
from pennant_serving.recent.sample import INFER, INVOCATIONS, Sample
from pennant_serving.recent.taking import timing
from pennant_serving.settings import Settings

PLAYED = (b"x-pennant-rehearsal", b"true")
"""A header by which the model's own routes can know such a request."""
CULPRIT = "pennant.culprit"
"""In the scope of a request that failed: what was raised, and where."""
Handler = Callable[[Request, Exception], Awaitable[Response]]


@dataclass
class Answer:
    """What a played request was answered with."""

    status: int = 0
    body: bytes = b""
    head_bytes: int = -1
    culprit: str = ""
    seconds: float = 0.0
    whole: bool = True
    """Whether `seconds` are of everything, and not of the model alone."""

    @property
    def fault(self) -> str:
        """Why it is none; empty where it is one."""
        if 200 <= self.status < 300:
            return ""
        return ", ".join(part for part in (str(self.status or "no answer"), self.culprit) if part)


def create_stage(settings: Settings, model: Model, own: AdapterRoutes) -> Starlette:
    """The application for a model that is not ready yet."""
    lifecycle = Lifecycle()
    lifecycle.ready(model)
    app = create_app(settings, lifecycle, own, Telemetry(settings.model, settings.version))
    for kind, handler in app.exception_handlers.items():
        app.exception_handlers[kind] = _noting(handler)
    return app


async def play(app: Starlette, sample: Sample, model: Model) -> Answer:
    """One request. Whatever the model raises is an answer."""
    answer, times = Answer(), Times()
    scope = _scope(sample, model)
    wanted.set(times)
    arrived = False

    async def receive() -> dict[str, Any]:
        nonlocal arrived
        if arrived:
            await asyncio.Event().wait()  # the client stays
        arrived = True
        return {"type": "http.request", "body": sample.body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            length = dict(message["headers"]).get(b"inference-header-content-length", b"")
            answer.head_bytes = int(length) if length.isdigit() else -1
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")

    began = time.perf_counter()
    with contextlib.suppress(Exception):  # starlette raises what it has answered with 500
        await app(scope, receive, send)
    timed = timing(times, time.perf_counter() - began)
    answer.seconds, answer.whole = timed["seconds"], timed["whole"]
    answer.culprit = scope.get(CULPRIT, "")
    return answer


def _noting(handler: Handler) -> Handler:
    async def noting(request: Request, error: Exception) -> Response:
        if not hasattr(error, "detail"):  # starlette's HTTPException is its status
            request.scope[CULPRIT] = culprit(error)
        return await handler(request, error)

    return noting


def _scope(sample: Sample, model: Model) -> dict[str, Any]:
    path, _, query = _target(sample, model).partition("?")
    headers = [(b"host", b"rehearsal"), PLAYED]
    if sample.media:
        headers.append((b"content-type", sample.media.encode("latin-1")))
    if sample.method != "GET" or sample.body:
        headers.append((b"content-length", str(len(sample.body)).encode()))
    if sample.head_bytes >= 0:
        headers.append((b"inference-header-content-length", str(sample.head_bytes).encode()))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "http",
        "method": sample.method,
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": headers,
        "server": ("rehearsal", 80),
        "client": ("127.0.0.1", 0),
        "state": {},
    }


def _target(sample: Sample, model: Model) -> str:
    if sample.protocol == INFER:
        return f"/v2/models/{quote(model.name, safe='')}/infer"
    return "/invocations" if sample.protocol == INVOCATIONS else sample.target
