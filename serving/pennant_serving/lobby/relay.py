"""One connection of a client: to a pod as soon as there is one, and the answer back.

What it carries is opaque here. So it is for gRPC: its connection waits as a whole, and whoever
connects waits for the first word of the other side before it counts as connected.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

from pennant_serving.errors import ServingError, Unavailable
from pennant_serving.lobby.buffer import CHUNK_BYTES, Buffer, Pages
from pennant_serving.lobby.counts import Ending, LobbyCounts
from pennant_serving.lobby.pods import Pods, prepare

PAUSES_SECONDS = (0.0, 0.1, 1.0)
"""Before each pod that is given the same request. Not more of them: it may be what ends them. The
last pause is for a port that takes connections which nobody answers any more."""
LINGER_SECONDS = 2.0
"""For a client to read its answer: a connection that is closed while more arrives on it is reset,
and what was not read yet is lost."""
STALL_SECONDS = 30.0
"""For a client to read the next part of its answer."""
RESET = struct.pack("ii", 1, 0)


class ClientGone(Exception):  # noqa: N818 - no error
    """Nobody reads the answer."""


class BrokenOff(Exception):  # noqa: N818 - its client sees it
    """A pod reset the connection amid its answer."""


class PodSilent(ServingError):  # noqa: N818 - another pod may answer
    """A pod took a request, and closed the connection before its answer."""

    status = 502
    code = "TEMPORARILY_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("a pod took the request and ended before it answered")


class Relay:
    """From its first byte to its last."""

    protocol = "grpc"

    def __init__(
        self, client: socket.socket, pods: Pods, pages: Pages, counts: LobbyCounts, max_wait: float
    ) -> None:
        prepare(client)
        self._client = client
        self._pods = pods
        self._counts = counts
        self._loop = asyncio.get_running_loop()
        self._buffer = Buffer(pages)
        self._max_wait = max_wait
        self._waited: float | None = None
        self.is_begun = False
        """Something has come."""
        self._is_answered = False

    async def run(self) -> None:
        """Carry it to its end, and count it."""
        try:
            ending = await self._ended()
            if ending is Ending.LOST and self._is_answered:  # or it would look like a whole answer
                self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            else:
                await self._linger()
        finally:
            self._buffer.close()
            self._client.close()
        self._count(ending)

    async def turn_away(self) -> None:
        """Say that there is no place."""
        try:
            await self._refuse(Unavailable("too many requests wait already"))
            await self._linger()
        finally:
            self._client.close()
        self._count(Ending.REFUSED)

    def _count(self, ending: Ending) -> None:
        self._counts.requests.labels(self.protocol, ending).inc()
        if self._waited is not None:
            self._counts.waits.labels(self.protocol).observe(self._waited)

    async def _ended(self) -> Ending:
        receiving = asyncio.create_task(self._receive())
        answering = asyncio.create_task(self._answer())
        try:
            await asyncio.wait((receiving, answering), return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                return answering.result()
            receiving.result()
        except ClientGone:
            pass
        finally:
            for task in (receiving, answering):
                task.cancel()
            await asyncio.gather(receiving, answering, return_exceptions=True)
        return Ending.ANSWERED if self._is_answered else Ending.LEFT

    async def _receive(self) -> None:
        """Until the client is gone, or ends its side, which counts as that."""
        with contextlib.suppress(OSError):
            while data := await self._loop.sock_recv(self._client, await self._buffer.space()):
                self.is_begun = True
                self._buffer.add(data)

    async def _answer(self) -> Ending:
        try:
            return await self._answered()
        except TimeoutError:
            await self._refuse(Unavailable(f"no pod was ready within {self._max_wait:g} seconds"))
            return Ending.EXPIRED
        except PodSilent as unanswered:
            await self._refuse(unanswered)
            return Ending.LOST
        except BrokenOff:
            return Ending.LOST

    async def _answered(self) -> Ending:
        """Raises TimeoutError, ClientGone, PodSilent, BrokenOff."""
        deadline = self._loop.time() + self._max_wait
        for pause in PAUSES_SECONDS:
            with contextlib.closing(await self._pod(pause, deadline)) as pod:
                try:
                    await self._through(pod)
                except PodSilent:
                    if pause == PAUSES_SECONDS[-1] or not self._buffer.is_whole:
                        raise
                else:
                    break
        return Ending.ANSWERED

    async def _pod(self, pause: float, deadline: float) -> socket.socket:
        """Raises TimeoutError."""
        began = self._loop.time()
        try:
            with self._counts.waiting.labels(self.protocol).track_inprogress():
                async with asyncio.timeout_at(deadline):
                    await asyncio.sleep(pause)
                    return await self._pods.connect()
        finally:
            self._waited = (self._waited or 0.0) + self._loop.time() - began

    async def _through(self, pod: socket.socket) -> None:
        sending = asyncio.create_task(self._send(pod))
        try:
            first = await self._first(pod)
            self._is_answered = True
            self._buffer.settle()
            await self._pass(first)
            await self._rest(pod)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, pod: socket.socket) -> None:
        """What the client has sent, and sends. That a pod takes no more is seen by its answer."""
        buffer = self._buffer
        buffer.begin()
        try:
            with contextlib.suppress(OSError):
                while True:
                    data = await buffer.unsent()
                    await self._loop.sock_sendall(pod, data)
                    buffer.sent(len(data))
        finally:
            buffer.stop()

    async def _first(self, pod: socket.socket) -> bytes:
        """The first bytes of the answer. Raises PodSilent."""
        return await self._more(pod)

    async def _more(self, pod: socket.socket) -> bytes:
        """Raises PodSilent."""
        try:
            data = await self._loop.sock_recv(pod, CHUNK_BYTES)
        except OSError as error:
            raise PodSilent from error
        if not data:
            raise PodSilent
        return data

    async def _rest(self, pod: socket.socket) -> None:
        """Raises BrokenOff, ClientGone."""
        while True:
            try:
                data = await self._loop.sock_recv(pod, CHUNK_BYTES)
            except OSError as error:
                raise BrokenOff from error
            if not data:
                return
            await self._pass(data)

    async def _pass(self, data: bytes) -> None:
        """To the client. Raises ClientGone."""
        try:
            async with asyncio.timeout(STALL_SECONDS):
                await self._loop.sock_sendall(self._client, data)
        except OSError as error:
            raise ClientGone from error

    async def _refuse(self, error: ServingError) -> None:
        """Nothing that a client of gRPC would read: its connection ends."""

    async def _linger(self) -> None:
        with contextlib.suppress(OSError):
            self._client.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(LINGER_SECONDS):
                while await self._loop.sock_recv(self._client, CHUNK_BYTES):
                    pass
