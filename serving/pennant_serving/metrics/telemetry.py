"""Metrics: how many requests, how long they took and how they ended, and what the model took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Metric, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pennant_serving.accesslog import HEADER, AccessLog, request_id
from pennant_serving.batching.runner import Observer
from pennant_serving.batching.work import Work
from pennant_serving.lifecycle.phases import Phases
from pennant_serving.lifecycle.rehearsed import Rehearsed
from pennant_serving.metrics.histograms import Family, Histograms, Series, Snapshot, metrics
from pennant_serving.metrics.last_answers import (
    ANSWERS,
    FAILED,
    REFUSED,
    SUCCEEDED,
    LastAnswers,
)
from pennant_serving.metrics.sharing import gathered, leave_counts
from pennant_serving.sampling.record import SCOPE, Record, enter
from pennant_serving.sampling.sampling import FAILURES, Watch, is_asked

SECONDS_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
ROWS_BUCKETS = tuple(4.0**power for power in range(9))
MODEL = ("model", "version")
REQUESTS = Family(
    "pennant_serving_request_duration_seconds",
    "Requests by their end: from the parsed head to the last byte handed to the socket.",
    (*MODEL, "protocol", "route", "code"),
    SECONDS_BUCKETS,
)
WAITS = Family(
    "pennant_serving_queue_seconds",
    "Requests by the time from being decoded to the beginning of their prediction.",
    (*MODEL, "protocol"),
    SECONDS_BUCKETS,
)
BATCHES = Family(
    "pennant_serving_batch_rows", "Predictions by the rows that they answer.", MODEL, ROWS_BUCKETS
)
PREDICTIONS = Family(
    "pennant_serving_predict_duration_seconds", "Calls of the model.", MODEL, SECONDS_BUCKETS
)
FAMILIES = (REQUESTS, WAITS, BATCHES, PREDICTIONS)
ENDED = "pennant.ended"
"""In the scope of a request whose answer nobody waits for any more: the status it counts as, None
for that of the answer that had begun."""
TEMPLATE = "pennant.template"
"""In the scope of a request that an adapter's own routes were asked for: the path's template."""


class Telemetry(Observer, Collector):
    """The metrics of one process, which serves one version of one model."""

    def __init__(self, model: str, version: str, phases: Phases | None = None) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(self)
        self._identity = (model, version)
        self.histograms = Histograms((*FAMILIES, ANSWERS))
        self.last_answers = LastAnswers(self.histograms)
        self._families: tuple[Family, ...] = FAMILIES
        self.further: Callable[[Mapping[str, list[int]]], dict[str, Any]] | None = None
        """What the report of answers has beside these, made of all that was counted."""
        self._batches = self.histograms.series(BATCHES.name, *self._identity)
        self._predictions = self.histograms.series(PREDICTIONS.name, *self._identity)
        self._waits: dict[str, Series] = {}
        self.phases = phases or Phases()
        self._shared: Path | None = None
        self.access_log: AccessLog | None = None
        self.watch: Watch | None = None
        self.rehearsed: Rehearsed | None = None
        self.differences = ""
        """What the bundle asks for, and the image has otherwise."""
        self.digest = ""
        """Of the bundle, as `fetch` verified it; empty while nothing is on the volume."""
        self.environment = ""
        """The digest of the bundle's own packages; empty where the image's serve it."""

    def add(
        self,
        families: Iterable[Family],
        further: Callable[[Mapping[str, list[int]]], dict[str, Any]],
    ) -> None:
        """Count these metrics, too, and say more in the report of answers."""
        self._families += tuple(families)
        self.histograms.add(families)
        self.further = further

    def requests(self, protocol: str, route: str, code: int | str) -> Series:
        """The durations of requests of one kind; a prediction counts among the recent, too."""
        series = self.histograms.series(REQUESTS.name, *self._identity, protocol, route, str(code))
        if series.also is None and is_asked(protocol, route):
            series.also = self.histograms.series(ANSWERS.name, outcome(code))
        return series

    def observe(self, route: str, code: int | str, seconds: float, protocol: str = "own") -> None:
        """Count one request; its protocol is v2, mlflow, grpc or own; gRPC's codes are names."""
        self.requests(protocol, route, code).observe(seconds)

    def waited(self, work: Work, seconds: float) -> None:
        """A request left the line after so long."""
        protocol = work.protocol
        series = self._waits.get(protocol)
        if series is None:
            series = self.histograms.series(WAITS.name, *self._identity, protocol)
            self._waits[protocol] = series
        series.observe(seconds)

    def predicted(self, _works: Sequence[Work], rows: int, seconds: float) -> None:
        """The model was asked for so many rows, and took so long."""
        self._batches.observe(rows)
        self._predictions.observe(seconds)

    def share(self, path: Path) -> None:
        """Answer for all workers from now on: this one leaves its counts here, the others beside
        them."""
        self._shared = path
        self.last_answers.share(path)

    def collect(self) -> Iterator[Metric]:
        """For prometheus_client."""
        start = GaugeMetricFamily(
            "pennant_serving_start_seconds", "The phases of the start.", labels=(*MODEL, "phase")
        )
        for name, seconds in self.phases.seconds.items():
            start.add_metric((*self._identity, name), seconds)
        yield start
        yield self._rehearsal()
        yield self._info("pennant_serving_info", "Always 1: what is served.", self.digest)
        yield self._info(
            "pennant_serving_environment_info",
            "Always 1: the environment that came with the model, by its digest.",
            self.environment,
        )
        yield from metrics(self._families, self._counted())

    def _rehearsal(self) -> Metric:
        played = GaugeMetricFamily(
            "pennant_serving_rehearsal_requests",
            "Requests that were played before this version was ready, by how it ended.",
            labels=(*MODEL, "outcome"),
        )
        if self.rehearsed is not None:
            played.add_metric((*self._identity, self.rehearsed.outcome), self.rehearsed.played)
        return played

    def _info(self, name: str, help_text: str, digest: str) -> Metric:
        info = GaugeMetricFamily(name, help_text, labels=(*MODEL, "digest"))
        if digest:
            info.add_metric((*self._identity, digest), 1)
        return info

    def _counted(self) -> Snapshot:
        """By this process, or by all workers."""
        if self._shared is None:
            return self.histograms.snapshot()
        leave_counts(self.histograms, self._shared)
        return gathered(self._shared.parent)

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
        code, log = 500, self._telemetry.access_log
        record: Record | None = scope.get(SCOPE)
        tag = request_id(scope["headers"]) if log else b""
        if record is not None:
            tag = record.id
            enter(record)

        async def watched(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
                if tag:
                    message["headers"] = [*message.get("headers", ()), (HEADER, tag)]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except BaseException:
            if ENDED not in scope:
                raise
            # Nobody is there to be told.
        finally:
            code = scope.get(ENDED) or code
            route, protocol = route_of(scope)
            seconds = time.perf_counter() - started
            self._telemetry.observe(route, code, seconds, protocol)
            if record is not None and self._telemetry.watch is not None:
                method: str = scope["method"]
                self._telemetry.watch.end(record, protocol, route, code, seconds, method)
            if log:
                log.write(tag, scope["method"], scope["path"], code, seconds)


def outcome(code: int | str) -> str:
    """What became of a request, in HTTP's terms; gRPC's codes are names."""
    if isinstance(code, int):
        return FAILED if code >= 500 else REFUSED if code >= 400 else SUCCEEDED
    return SUCCEEDED if code == "OK" else FAILED if code in FAILURES else REFUSED


def route_of(scope: Scope) -> tuple[str, str]:
    """The template of a request's path, and its protocol."""
    if TEMPLATE in scope:
        return scope[TEMPLATE] or "unmatched", "own"
    route = getattr(scope.get("route"), "path", "") or "unmatched"
    return route, protocol_of(route)


def protocol_of(route: str) -> str:
    """The protocol that a route's template belongs to."""
    if route == "/invocations":
        return "mlflow"
    return "v2" if route == "/v2" or route.startswith("/v2/") else "own"
