"""How many wait, how long they did, and how they ended."""

from __future__ import annotations

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

PROTOCOL = ("protocol",)
SECONDS_BUCKETS = (0.01, 0.1, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 60.0)


class Ending(StrEnum):
    """What became of a request, or of a connection of gRPC."""

    ANSWERED = "answered"
    """A pod did, whatever it said."""
    EXPIRED = "expired"
    """No pod took it in time."""
    REFUSED = "refused"
    """It could not be read, or too many were here."""
    LEFT = "left"
    """Its client did, before an answer."""
    LOST = "lost"
    """A pod took it and did not answer, or not to the end."""


class LobbyCounts:
    """The metrics of one process."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.waiting = Gauge(
            "pennant_lobby_held", "Requests that wait for a pod.", PROTOCOL, registry=registry
        )
        self.waits = Histogram(
            "pennant_lobby_held_seconds",
            "Requests by how long they waited for a pod, in all.",
            PROTOCOL,
            registry=registry,
            buckets=SECONDS_BUCKETS,
        )
        self.requests = Counter(
            "pennant_lobby_requests_total",
            "Requests by their end.",
            (*PROTOCOL, "outcome"),
            registry=registry,
        )
        for protocol in ("http", "grpc"):
            self.waiting.labels(protocol)
            self.waits.labels(protocol)
            for ending in Ending:
                self.requests.labels(protocol, ending)
