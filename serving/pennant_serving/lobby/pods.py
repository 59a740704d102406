"""The pods, behind one address: connections to them, as soon as one takes any."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from pennant_serving.address import Address

RETRY_SECONDS = 0.05
CONNECT_SECONDS = 1.0
"""For one attempt: who is gone without a word answers nothing."""
LOOK_UP_SECONDS = 1.0
"""After which a name whose address does not answer may have another one."""
SILENCE_SECONDS = 5
"""Seconds of silence after which the kernel asks whether the other side is there; after so many
unanswered questions, as far apart, it is not."""
QUESTIONS = 3


class Pods:
    """While nobody takes connections one request tries for all, in turn."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._known: list[tuple[int, tuple[object, ...]]] = []
        """Families and addresses of the name, as they were found last."""
        self._looked_up_at = 0.0
        self._is_open = False
        self._trying = asyncio.Lock()

    async def connect(self) -> socket.socket:
        """A connection; the caller limits the time."""
        while True:
            if self._is_open:
                try:
                    return await self._attempt()
                except OSError:
                    self._is_open = False
            async with self._trying:
                if self._is_open:
                    continue
                try:
                    connection = await self._attempt()
                except OSError:
                    await self._pause()
                else:
                    self._is_open = True
                    return connection

    async def _pause(self) -> None:
        """Before the next attempt, which may be at another address."""
        await asyncio.sleep(RETRY_SECONDS)
        if asyncio.get_running_loop().time() > self._looked_up_at + LOOK_UP_SECONDS:
            with contextlib.suppress(OSError):  # then it is where it was
                await self._look_up()

    async def _look_up(self) -> None:
        """Raises OSError."""
        loop, address = asyncio.get_running_loop(), self._address
        self._looked_up_at = loop.time()
        async with asyncio.timeout(CONNECT_SECONDS):
            answers = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        self._known = [(family, where) for family, _, _, _, where in answers]

    async def _attempt(self) -> socket.socket:
        """Raises OSError."""
        if not self._known:
            await self._look_up()
        refusal: OSError = ConnectionRefusedError()
        for family, where in self._known:
            try:
                return await _connected(family, where)
            except OSError as error:
                refusal = error
        raise refusal


async def _connected(family: int, where: tuple[object, ...]) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        prepare(connection)
        async with asyncio.timeout(CONNECT_SECONDS):
            await asyncio.get_running_loop().sock_connect(connection, where)
    except BaseException:
        connection.close()
        raise
    return connection


def prepare(connection: socket.socket) -> None:
    """For an event loop; and so that a machine that is gone does not count as one that thinks."""
    connection.settimeout(0)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, SILENCE_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, SILENCE_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, QUESTIONS)
