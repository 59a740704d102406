"""Which requests are recorded, and what is told of them at their end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pennant_serving.accesslog import request_id
from pennant_serving.batching.timing import Times
from pennant_serving.failures import PodError, Reason
from pennant_serving.sampling.payloads import PayloadLog
from pennant_serving.sampling.record import Record
from pennant_serving.settings import Settings

if TYPE_CHECKING:  # it imports OpenTelemetry
    from pennant_serving.sampling.spans import Spans

INFERENCE = ("/infer", "/invocations", "/ModelInfer")
"""How the routes end that ask the model; an adapter's own are of protocol `own`."""
PLUMBING = (
    *("/ping", "/health", "/version", "/openapi.json", "/docs"),
    *("/metrics", "/metrics/answers", "unmatched"),
    *("/pennant/rehearsal", "/pennant/rehearsal/samples"),
)
"""What else counts as protocol `own`."""
FAILURES = ("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS")
"""gRPC's codes that are the server's fault, as OpenTelemetry has it."""

Headers = Sequence[tuple[bytes, bytes]]


def is_asked(protocol: str, route: str) -> bool:
    """Whether a route asks the model, or is the adapter's own: neither a probe nor metadata."""
    return _is_inference(protocol, route) or (protocol == "own" and route not in PLUMBING)


def _is_inference(protocol: str, route: str) -> bool:
    return protocol != "own" and route.endswith(INFERENCE)


class Watch:
    """Draws samples for the payload log and for traces."""

    def __init__(self, payloads: PayloadLog | None, spans: Spans | None) -> None:
        self._payloads = payloads
        self._spans = spans

    def begin(self, headers: Headers) -> Record | None:
        """The record of a request that is drawn."""
        span = None if self._spans is None else self._spans.parent(headers)
        payloads = self._payloads
        if payloads is not None and not payloads.draws():
            payloads = None
        if span is None and payloads is None:
            return None
        record = Record(request_id(headers), payloads)
        if span is not None:
            record.span, record.begun, record.times = span, time.time_ns(), Times()
        return record

    def end(
        self,
        record: Record,
        protocol: str,
        route: str,
        status: int | str,
        seconds: float,
        method: str = "",
    ) -> None:
        """Tell of a request that ended. gRPC's have no method, and statuses that are names."""
        asks = _is_inference(protocol, route)
        if record.payloads is not None and asks:
            line = {"id": record.id.decode("ascii"), "protocol": protocol, "route": route}
            payload = {"inputs": record.inputs, "outputs": record.outputs}
            record.payloads.write(line | payload | {"status": status, "seconds": round(seconds, 6)})
        if self._spans is not None and record.span is not None and is_asked(protocol, route):
            name = f"{method} {route}" if method else route.lstrip("/")
            facts = _protocol_facts(protocol, route, status, method) | _model_facts(record)
            failed = status in FAILURES or (isinstance(status, int) and status >= 500)
            self._spans.export(record, name, seconds, facts, failed=failed)

    def close(self) -> None:
        """Send what is left; see `Spans.close`."""
        if self._spans is not None:
            self._spans.close()


def _protocol_facts(protocol: str, route: str, status: int | str, method: str) -> dict[str, Any]:
    """In the words of OpenTelemetry's conventions."""
    if protocol == "grpc":
        name = {"rpc.system.name": "grpc", "rpc.method": route.lstrip("/")}
        return name | {"rpc.response.status_code": status}
    name = {"http.request.method": method, "http.route": route}
    return name | {"http.response.status_code": status}


def _model_facts(record: Record) -> dict[str, Any]:
    facts: dict[str, Any] = {"pennant.request_id": record.id.decode("ascii")}
    if record.rows:
        facts["pennant.rows"] = record.rows
    if record.times is not None and record.times.queue is not None:
        facts["pennant.batch_rows"] = record.times.rows
        facts["pennant.queue_seconds"] = record.times.queue
        facts["pennant.predict_seconds"] = record.times.predict
    return facts


def create_watch(settings: Settings) -> Watch | None:
    """As the settings say; None when nothing is to be recorded. Raises PodError when traces are
    wanted from an image that cannot send them."""
    payloads = None
    if settings.payload_log_ratio:
        identity = settings.model, settings.version
        payloads = PayloadLog(*identity, settings.payload_log_ratio, settings.payload_log_redact)
    spans = _spans(settings) if settings.traces_endpoint else None
    return Watch(payloads, spans) if payloads or spans else None


def _spans(settings: Settings) -> Spans:
    try:
        from pennant_serving.sampling.spans import Spans
    except ModuleNotFoundError as error:
        message = (
            f"PENNANT_TRACES_ENDPOINT is set, and this image lacks {error.name}: install"
            " pennant[traces] in it, or take out spec.serving.telemetry.traces"
        )
        raise PodError(Reason.START_FAILED, message) from error
    return Spans(settings)
