"""A collector of traces: takes OTLP over HTTP and decodes what it gets."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from pennant_testing.waiting import until


class Collector:
    """What has arrived so far."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.paths: set[str] = set()
        self.resource: dict[str, Any] = {}
        self.spans: list[Any] = []

    def take(self, path: str, body: bytes) -> None:
        self.paths.add(path)
        for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resource = attributes(sent.resource)
            for scope in sent.scope_spans:
                self.spans.extend(scope.spans)

    def wait_for(self, count: int) -> list[Any]:
        """The spans, once so many have come."""
        until(
            lambda: len(self.spans) >= count,
            seen=lambda: f"{len(self.spans)} spans instead of {count}",
        )
        return self.spans


def attributes(holder: Any) -> dict[str, Any]:
    """The attributes of a span or a resource as plain values."""
    values = {each.key: each.value for each in holder.attributes}
    return {key: getattr(value, value.WhichOneof("value")) for key, value in values.items()}


@contextlib.contextmanager
def collector() -> Iterator[Collector]:
    """A collector on a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            running.take(self.path, self.rfile.read(int(self.headers["content-length"])))
            body = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()
