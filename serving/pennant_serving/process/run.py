"""Wiring: one event loop with the server on it, and the model coming up beside it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Awaitable, Coroutine
from typing import TYPE_CHECKING, Any

import uvloop
from starlette.types import ASGIApp

from pennant_serving.accesslog import AccessLog
from pennant_serving.admission import Admission
from pennant_serving.bundle import manifest
from pennant_serving.fast.lane import FastLane
from pennant_serving.grpc import create_grpc
from pennant_serving.http.accepting import Waiting
from pennant_serving.http.app import create_app
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.http.server import Server, create_server
from pennant_serving.lifecycle.board import Place, State, can_answer
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.lifecycle.phases import Phases
from pennant_serving.metrics.sharing import publish
from pennant_serving.metrics.telemetry import Telemetry
from pennant_serving.process.heartbeat import Door, keep_beating
from pennant_serving.process.startup import Loaded, bring_up
from pennant_serving.recent.memory import ROOM_BYTES, Recent
from pennant_serving.sampling.sampling import create_watch
from pennant_serving.settings import Settings

if TYPE_CHECKING:  # grpcio, and what only pods with a traffic file need
    from pennant_serving.grpc.server import GrpcServer
    from pennant_serving.traffic.sharing import Sharing

POLL_SECONDS = 0.02
STAND_IN_SECONDS = 5.0
"""Seconds for who stood in for the workers to make way."""


def run(
    settings: Settings,
    listener: socket.socket,
    phases: Phases,
    loaded: Loaded | None = None,
    place: Place | None = None,
) -> State:
    """Serve until SIGTERM; the state at the end. Raises PodError when the model cannot be served.

    A worker gets its place among the others, and what its parent has loaded.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(settings, listener, phases, loaded, place))


def stand_in(settings: Settings, listener: socket.socket, phases: Phases, place: Place) -> None:
    """Answer the probes for those who will serve the model, until one of them is ready, or
    SIGTERM."""
    telemetry = Telemetry(settings.model, settings.version, phases)
    lifecycle, own, lane = Lifecycle(), AdapterRoutes(), FastLane(telemetry)
    app = create_app(settings, lifecycle, own, telemetry)
    server = create_server(app, settings, lifecycle, lane, None)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_first(server.serve([listener]), _make_way(server, place)))


async def _run(
    settings: Settings,
    listener: socket.socket,
    phases: Phases,
    loaded: Loaded | None,
    place: Place | None,
) -> State:
    telemetry = Telemetry(settings.model, settings.version, phases)
    if settings.access_log:
        telemetry.access_log = AccessLog(settings.model, settings.version)
    telemetry.watch = create_watch(settings)
    present = manifest.read(manifest.manifest_path(settings.model_path))
    telemetry.digest = present.digest if present else ""
    telemetry.environment = settings.environment
    try:
        return await _serve(settings, listener, loaded, place, telemetry)
    finally:
        if telemetry.watch is not None:
            telemetry.watch.close()  # nothing else is left for this loop to do


async def _serve(
    settings: Settings,
    listener: socket.socket,
    loaded: Loaded | None,
    place: Place | None,
    telemetry: Telemetry,
) -> State:
    recent = Recent(ROOM_BYTES // settings.workers) if settings.remembers else None
    lifecycle, own, lane = Lifecycle(place), AdapterRoutes(), FastLane(telemetry, recent)
    admission = Admission()
    app = create_app(settings, lifecycle, own, telemetry, admission, recent)
    waiting = Waiting(listener) if place is None else None
    server = create_server(app, settings, lifecycle, lane, waiting)
    sharing = _sharing(settings, app, own, telemetry, admission)
    grpc = asyncio.create_task(create_grpc(settings, lifecycle, telemetry, admission))
    coming_up = bring_up(settings, lifecycle, own, lane, loaded, _opened(grpc), place)
    if place is None:
        beside = _beside(telemetry, sharing, lifecycle, server)
        if settings.listener_fd:  # another version answers until this one can
            await coming_up
        else:
            beside.append(coming_up)
        await _until_first(server.serve([listener]), *beside)
    else:
        door = Door(server, listener)
        beating = asyncio.create_task(keep_beating(lifecycle, place, door))
        telemetry.share(place.counts)
        await coming_up
        door.add(grpc.result())
        place.report(lifecycle.state)
        await _alone(place)
        beside = _beside(telemetry, sharing, lifecycle, server)
        beside += [publish(telemetry.histograms, place.counts), beating]
        await _until_first(server.serve([listener]), *beside)
    if grpc.done() and (grpc_server := grpc.result()):
        await grpc_server.ended()
    return lifecycle.state


def _beside(
    telemetry: Telemetry, sharing: Sharing | None, lifecycle: Lifecycle, server: Server
) -> list[Awaitable[None]]:
    """What goes on while it serves."""
    beside: list[Awaitable[None]] = [telemetry.last_answers.keep()]
    if sharing is not None:
        beside.append(sharing.follow(lifecycle, server.share))
    return beside


def _sharing(
    settings: Settings,
    app: ASGIApp,
    own: AdapterRoutes,
    telemetry: Telemetry,
    admission: Admission,
) -> Sharing | None:
    if not settings.traffic_file:
        return None
    from pennant_serving.traffic.sharing import Sharing

    return Sharing(settings, app, own, telemetry, admission)


async def _make_way(server: Server, place: Place) -> None:
    """As soon as a worker is ready."""
    while not can_answer(place.others(), time.monotonic()):  # noqa: ASYNC110 - others say it
        await asyncio.sleep(POLL_SECONDS)
    for each in server.servers:
        each.close()
    place.report(State.ABSENT)
    signal.raise_signal(signal.SIGTERM)


async def _alone(place: Place) -> None:
    """Until the stand-in is gone, which would answer probes that nobody is ready."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STAND_IN_SECONDS):
            while place.has_stand_in:  # noqa: ASYNC110 - another process makes way
                await asyncio.sleep(POLL_SECONDS)


async def _opened(grpc: asyncio.Task[GrpcServer | None]) -> None:
    """When the model is ready and not before: where workers share the port, calls would wait for
    one that cannot answer beside others that can."""
    server = await grpc
    if server is not None:
        await server.open()


async def _until_first(serving: Coroutine[Any, Any, None], *others: Awaitable[None]) -> None:
    """Until the server has ended. Raises what one of the others raises."""
    server = asyncio.create_task(serving)
    tasks = [asyncio.ensure_future(each) for each in others]
    await asyncio.wait((server, *tasks), return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        if task.done():
            task.result()
    await server
