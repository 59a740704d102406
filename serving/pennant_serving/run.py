"""Wiring: one event loop with the server on it, and the model coming up beside it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

from pennant_serving.accepting import Waiting
from pennant_serving.accesslog import AccessLog
from pennant_serving.admission import Admission
from pennant_serving.app import create_app
from pennant_serving.endpoints.own import AdapterRoutes
from pennant_serving.fast.lane import FastLane
from pennant_serving.grpc import create_grpc
from pennant_serving.lifecycle import Lifecycle
from pennant_serving.phases import Phases
from pennant_serving.server import create_server
from pennant_serving.settings import Settings
from pennant_serving.sharing import publish
from pennant_serving.startup import Loaded, bring_up
from pennant_serving.telemetry import Telemetry
from pennant_serving.watch.sampling import create_watch

if TYPE_CHECKING:  # it imports grpcio
    from pennant_serving.grpc.server import GrpcServer


def run(
    settings: Settings,
    listener: socket.socket,
    phases: Phases,
    loaded: Loaded | None = None,
    folder: Path | None = None,
) -> None:
    """Serve until SIGTERM. Raises PodError when the model cannot be served.

    A worker gets the folder of the workers' metrics, and what its parent has loaded: nothing yet
    means that somebody else will serve the model.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(settings, listener, phases, loaded, folder))


async def _run(
    settings: Settings,
    listener: socket.socket,
    phases: Phases,
    loaded: Loaded | None,
    folder: Path | None,
) -> None:
    telemetry = Telemetry(settings.model, settings.version, phases)
    if settings.access_log:
        telemetry.access_log = AccessLog(settings.model, settings.version)
    if folder is None or loaded is not None:  # not while somebody else will serve the model
        telemetry.watch = create_watch(settings)
    try:
        await _serve(settings, listener, loaded, folder, telemetry)
    finally:
        if telemetry.watch is not None:
            telemetry.watch.close()  # nothing else is left for this loop to do


async def _serve(
    settings: Settings,
    listener: socket.socket,
    loaded: Loaded | None,
    folder: Path | None,
    telemetry: Telemetry,
) -> None:
    lifecycle, own, lane = Lifecycle(), AdapterRoutes(), FastLane(telemetry)
    admission = Admission()
    app = create_app(settings, lifecycle, own, telemetry, admission)
    waiting = Waiting(listener) if folder is None else None
    server = create_server(app, settings, lifecycle, lane, waiting)
    if folder is not None and loaded is None:
        await _until_first(server.serve([listener]))
        return
    grpc = asyncio.create_task(create_grpc(settings, lifecycle, telemetry, admission))
    coming_up = bring_up(settings, lifecycle, own, lane, loaded, at_last=_opened(grpc))
    if folder is None:
        await _until_first(server.serve([listener]), coming_up)
    else:
        telemetry.share(folder)
        await coming_up
        await _until_first(server.serve([listener]), publish(telemetry.histograms, folder))
    if grpc.done() and (grpc_server := grpc.result()):
        await grpc_server.ended()


async def _opened(grpc: asyncio.Task[GrpcServer | None]) -> None:
    """When the model is ready and not before: where workers share the port, calls would wait for
    one that cannot answer beside others that can."""
    server = await grpc
    if server is not None:
        await server.open()


async def _until_first(
    serving: Coroutine[Any, Any, None], *others: Coroutine[Any, Any, None]
) -> None:
    """Until the server has ended. Raises what one of the others raises."""
    server = asyncio.create_task(serving)
    tasks = [asyncio.create_task(each) for each in others]
    await asyncio.wait((server, *tasks), return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        if task.done():
            task.result()
    await server
