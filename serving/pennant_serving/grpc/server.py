"""The gRPC server beside the HTTP one: the same lifecycle, connection age and drain."""

from __future__ import annotations

import asyncio

import grpc

from pennant_serving.admission import BODY_LIMIT_BYTES, Admission
from pennant_serving.grpc.health import Health
from pennant_serving.grpc.receiving import LOOKAHEAD_BYTES
from pennant_serving.grpc.service import Service
from pennant_serving.http.server import accept_seconds
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.metrics.telemetry import Telemetry
from pennant_serving.settings import Settings

ANSWER_SPARE_SECONDS = 1.0
"""Seconds for an answer to reach its client."""


class GrpcServer:
    """One port: closed until it is opened, and closed by the drain that follows SIGTERM."""

    def __init__(
        self,
        settings: Settings,
        lifecycle: Lifecycle,
        telemetry: Telemetry,
        admission: Admission,
    ) -> None:
        self._settings = settings
        self._lifecycle = lifecycle
        self._handlers = (
            Service(settings, lifecycle, telemetry, admission).handler(),
            Health(lifecycle, admission, settings.request_timeout).handler(),
        )
        self._server: grpc.aio.Server | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._draining: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Take connections. Raises OSError when the port is taken."""
        server = grpc.aio.server(handlers=self._handlers, options=channel_options(self._settings))
        try:
            server.add_insecure_port(f"[::]:{self._settings.grpc_port}")
        except RuntimeError as error:
            raise OSError(f"gRPC port {self._settings.grpc_port}: {error}") from error
        await server.start()
        self._server = server
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())

    def close(self, grace: float | None = None) -> None:
        """Take no more connections; the calls on those that there are have so many seconds."""
        if self._server is None:
            return
        stopping = self._server.stop(longest(self._settings) if grace is None else grace)
        ending = asyncio.create_task(stopping)
        self._server = None
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def ended(self) -> None:
        """Wait for the end of the drain."""
        if self._draining:
            await self._draining

    async def _drain(self) -> None:
        """As the HTTP server does: take calls for a moment, then finish those that were taken."""
        await self._lifecycle.draining.wait()
        accept = accept_seconds(self._settings)
        await asyncio.sleep(accept)
        grace = max(1.0, self._settings.drain_seconds - accept - 1.0)
        self.close(grace)
        if self._ending:
            await asyncio.wait(self._ending, timeout=grace + ANSWER_SPARE_SECONDS)


def longest(settings: Settings) -> float:
    """Seconds that a call may take: to arrive, and from then to its answer."""
    return 2 * settings.request_timeout + ANSWER_SPARE_SECONDS


def channel_options(settings: Settings) -> list[tuple[str, int]]:
    """How gRPC treats connections and messages."""
    return [
        # gRPC jitters it by 10 % itself, and lets the calls of an ending connection finish.
        ("grpc.max_connection_age_ms", int(settings.max_connection_age * 1000)),
        ("grpc.max_connection_age_grace_ms", int(longest(settings) * 1000)),
        ("grpc.max_receive_message_length", BODY_LIMIT_BYTES),
        ("grpc.max_send_message_length", -1),
        ("grpc.http2.lookahead_bytes", LOOKAHEAD_BYTES),
        ("grpc.http2.bdp_probe", 0),  # it would raise what comes ahead
        ("grpc.so_reuseport", int(settings.workers > 1)),  # one worker beside the other
    ]
