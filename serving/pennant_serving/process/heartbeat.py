"""A worker beside others: its signs of life, its door, and its end when it is lost."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from typing import TYPE_CHECKING

import uvicorn

from pennant_serving.lifecycle.board import BEAT_SECONDS, Place, State, takes_connections
from pennant_serving.lifecycle.lifecycle import Lifecycle

if TYPE_CHECKING:  # it imports grpcio
    from pennant_serving.grpc.server import GrpcServer

LEFT = "all threads are in predictions that do not end: connections are left to the others"
TAKEN = "connections are taken again"


class Door:
    """Through which connections come to this worker: both its ports.

    Closed, it leaves what waits at the shared listener to the others, and keeps the connections
    that it has; these end by their age.
    """

    def __init__(self, server: uvicorn.Server, listener: socket.socket) -> None:
        self._server = server
        self._listener = listener.dup()  # a server closes its own with itself
        self._grpc: GrpcServer | None = None
        self._is_open = True

    def add(self, grpc: GrpcServer | None) -> None:
        """The other port, which is open."""
        self._grpc = grpc

    async def move(self, *, is_open: bool) -> None:
        """Open or close it, as long as the server neither starts nor ends: then it does that."""
        if self._server.should_exit:
            self._listener.close()
        elif self._server.started and is_open is not self._is_open:
            self._is_open = is_open
            await (self._open() if is_open else self._close())
            print(TAKEN if is_open else LEFT, flush=True)

    async def _open(self) -> None:
        # uvicorn's own way: what our server does beside it, it has done.
        await uvicorn.Server.startup(self._server, [self._listener.dup()])
        if self._grpc is not None:
            await self._grpc.open()

    async def _close(self) -> None:
        for server in self._server.servers:
            server.close()
        self._server.servers = []
        if self._grpc is not None:
            self._grpc.close()


async def keep_beating(lifecycle: Lifecycle, place: Place, door: Door) -> None:
    """Until cancelled. A lost worker drains as if it had been told to."""
    was_lost = False
    while True:
        state = lifecycle.state
        place.report(state)
        now = time.monotonic()
        await door.move(is_open=takes_connections(state, place.others(), now))
        if state is State.LOST and not was_lost:
            print("all threads are in predictions that do not end: this worker ends", flush=True)
            signal.raise_signal(signal.SIGTERM)
            was_lost = True
        await asyncio.sleep(BEAT_SECONDS)
