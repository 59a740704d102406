"""Traces: one server span for each sampled request, sent by OTLP over HTTP.

The span is made when the request has ended, from what its record holds: so nothing of OpenTelemetry
runs while a request is answered. Imported only when there is a collector to send to.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanKind, Status, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from pennant_serving.sampling.record import Record
from pennant_serving.settings import Settings

PATH = "/v1/traces"
"""Where OTLP/HTTP wants traces, below a collector's address."""
SEND_SECONDS = 5.0
"""Seconds for one sending, and so for the last one at the end of the process."""
W3C = (b"traceparent", b"tracestate")
ROOT = Context()
PROPAGATOR = TraceContextTextMapPropagator()


class Spans:
    """Sends from a thread of its own; a collector that is away costs spans, never a request."""

    def __init__(self, settings: Settings) -> None:
        endpoint = settings.traces_endpoint.rstrip("/").removesuffix(PATH) + PATH
        self._ratio = settings.traces_ratio
        self._identity = {"pennant.model": settings.model, "pennant.version": settings.version}
        service = {"service.name": settings.deployment or settings.model}
        # Whether to sample was decided when the request began.
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource.create(service | {"service.version": settings.version}),
            shutdown_on_exit=False,
        )
        exporter = OTLPSpanExporter(endpoint, timeout=SEND_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("pennant_serving")

    def parent(self, headers: Sequence[tuple[bytes, bytes]]) -> Context | None:
        """What the request's span belongs to; None when it is not sampled. The caller's decision
        is taken over (W3C traceparent); where there is none, the ratio decides."""
        given = {name.decode(): each.decode("latin-1") for name, each in headers if name in W3C}
        context = PROPAGATOR.extract(given, Context()) if given else ROOT
        caller = get_current_span(context).get_span_context()
        drawn = caller.trace_flags.sampled if caller.is_valid else random.random() < self._ratio  # noqa: S311
        return context if drawn else None

    def export(
        self, record: Record, name: str, seconds: float, facts: dict[str, Any], *, failed: bool
    ) -> None:
        """Hand over the span of a request that took so long."""
        begun, facts = record.begun, self._identity | facts
        span = self._tracer.start_span(name, record.span, SpanKind.SERVER, facts, start_time=begun)
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(begun + int(seconds * 1e9))

    def close(self) -> None:
        """Send what is left. Blocks for SEND_SECONDS at most."""
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(SEND_SECONDS)
