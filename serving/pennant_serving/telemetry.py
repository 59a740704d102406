"""Metrics: how many requests, how long they took, and how they ended."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Telemetry:
    """The metrics of one process, which serves one version of one model."""

    def __init__(self, model: str, version: str) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._identity = (model, version)
        self._duration = Histogram(
            "pennant_serving_request_duration_seconds",
            "Requests by their end: from the parsed head to the last byte handed to the socket.",
            ("model", "version", "route", "code"),
            buckets=BUCKETS,
            registry=self._registry,
        )

    def observe(self, route: str, code: int, seconds: float) -> None:
        """Count one request."""
        self._duration.labels(*self._identity, route, str(code)).observe(seconds)

    def exposition(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self._registry)


class Observed:
    """ASGI middleware that counts every request under its route's template, never its path."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        code = 500

        async def watched(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "") or "unmatched"
            self._telemetry.observe(route, code, time.perf_counter() - started)
