"""A candidate of a few lines, which answers with whatever bytes a test has for it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pennant_serving.address import Address

HANGS = b"hangs"
"""In the place of bytes: nothing more comes."""
CLOSES = b"closes"
"""In the place of bytes: the connection ends."""

RESETS = b"resets"
"""The same, by what is left of a server that crashed."""
AT_ONCE = struct.pack("ii", 1, 0)


@dataclass
class OddCandidate:
    """What it was asked, and how often somebody connected."""

    answers: list[list[bytes]]
    """One for each request; the last is for all that follow."""
    port: int = 0
    asked: list[bytes] = field(default_factory=list)
    connections: int = 0
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self.port)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # nobody reads any more, or the test is over
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in head.split(b"\r\n") if line.startswith(b"content-length")]
        body = await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b""
        self.asked.append(head + body)
        self.was_asked.set()
        for part in self.answers[min(len(self.asked), len(self.answers)) - 1]:
            if part == CLOSES:
                return False
            if part == RESETS:
                connection = writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                return False
            if part == HANGS:
                await asyncio.Event().wait()
            writer.write(part)
            await writer.drain()
        return True


@asynccontextmanager
async def odd_candidate(*answers: list[bytes]) -> AsyncIterator[OddCandidate]:
    """One that listens."""
    candidate = OddCandidate([*answers])
    server = await asyncio.start_server(candidate.serve, "127.0.0.1", 0, backlog=1024)
    candidate.port = server.sockets[0].getsockname()[1]
    try:
        yield candidate
    finally:
        server.close()
