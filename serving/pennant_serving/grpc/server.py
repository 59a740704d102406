"""The gRPC server beside the HTTP one: the same lifecycle, connection age and drain."""

from __future__ import annotations

import asyncio

import grpc

from pennant_serving.endpoints.body import LIMIT
from pennant_serving.grpc.health import Health
from pennant_serving.grpc.service import Service
from pennant_serving.lifecycle import Lifecycle
from pennant_serving.server import accept_seconds
from pennant_serving.settings import Settings
from pennant_serving.telemetry import Telemetry


class GrpcServer:
    """One port, open from `start` until the drain that follows SIGTERM."""

    def __init__(self, settings: Settings, lifecycle: Lifecycle, telemetry: Telemetry) -> None:
        self._settings = settings
        self._lifecycle = lifecycle
        self._draining: asyncio.Task[None] | None = None
        self._server = grpc.aio.server(
            handlers=(
                Service(settings, lifecycle, telemetry).handler(),
                Health(lifecycle).handler(),
            ),
            options=_options(settings),
        )

    async def start(self) -> None:
        """Open the port. Raises OSError when it is taken."""
        try:
            self._server.add_insecure_port(f"[::]:{self._settings.grpc_port}")
        except RuntimeError as error:
            raise OSError(f"gRPC port {self._settings.grpc_port}: {error}") from error
        await self._server.start()
        self._draining = asyncio.create_task(self._drain())

    async def ended(self) -> None:
        """Wait for the end of the drain."""
        if self._draining:
            await self._draining

    async def _drain(self) -> None:
        """As the HTTP server does: take calls for a moment, then finish those that were taken."""
        await self._lifecycle.draining.wait()
        accept = accept_seconds(self._settings) if self._lifecycle.has_model else 0.0
        await asyncio.sleep(accept)
        await self._server.stop(max(1.0, self._settings.drain_seconds - accept - 1.0))


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [
        # gRPC jitters it by 10 % itself, and lets the calls of an ending connection finish.
        ("grpc.max_connection_age_ms", int(settings.max_connection_age * 1000)),
        ("grpc.max_connection_age_grace_ms", int(settings.drain_seconds * 1000)),
        ("grpc.max_receive_message_length", LIMIT),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", int(settings.workers > 1)),  # one worker beside the other
    ]
