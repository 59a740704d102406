"""Wiring: one event loop with the server on it, and the model coming up beside it."""

from __future__ import annotations

import asyncio
import socket

import uvloop

from pennant_serving.app import create_app
from pennant_serving.endpoints.own import AdapterRoutes
from pennant_serving.fast.lane import FastLane
from pennant_serving.lifecycle import Lifecycle
from pennant_serving.server import create_server
from pennant_serving.settings import Settings
from pennant_serving.startup import bring_up
from pennant_serving.telemetry import Telemetry


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve until SIGTERM. Raises PodError when the model cannot be served."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(settings, listener))


async def _run(settings: Settings, listener: socket.socket) -> None:
    lifecycle, own = Lifecycle(), AdapterRoutes()
    telemetry = Telemetry(settings.model, settings.version)
    app = create_app(settings, lifecycle, own, telemetry)
    lane = FastLane(telemetry)
    server = create_server(app, settings, lifecycle, lane)
    serving = asyncio.create_task(server.serve([listener]))
    loading = asyncio.create_task(bring_up(settings, lifecycle, own, lane))
    await asyncio.wait((serving, loading), return_when=asyncio.FIRST_COMPLETED)
    if loading.done():
        loading.result()
    await serving
