"""Connections to another version's Service, kept for the requests that follow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pennant_serving.address import Address
from pennant_serving.traffic.reply import Reply, Unanswered

CONNECT_SECONDS = 1.0
"""Within a cluster a connection takes milliseconds, or nobody is there."""
AT_ONCE_LIMIT = 128
"""Requests that are being answered there; each takes a file descriptor of those that are spare
(http/crowd.py). Who has so many unanswered is not asked for more."""


class Upstream:
    """For use in one event loop."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._free: list[Reply] = []
        self._count = 0
        self.is_closed = False
        """Its share is over: no connection is kept any more."""

    @asynccontextmanager
    async def asked(self, head: bytes, body: bytes) -> AsyncIterator[Reply]:
        """The answer, once its head is there; what is not read of it within the block is never.
        Raises Unanswered."""
        if self._count >= AT_ONCE_LIMIT:
            raise Unanswered(f"{self._count} requests are waiting there already")
        self._count += 1
        reply: Reply | None = None
        try:
            reply = await self._begun(head, body)
            yield reply
        finally:
            self._count -= 1
            if reply is not None:
                self._release(reply)

    def close(self) -> None:
        """Now those that are free, and the others after their answers."""
        self.is_closed = True
        for reply in self._free:
            reply.close()
        self._free.clear()

    async def _begun(self, head: bytes, body: bytes) -> Reply:
        while self._free:
            reply = self._free.pop()
            if reply.is_open and await _answers(reply, head, body):
                return reply
        reply = await self._connected()
        await _answers(reply, head, body)
        return reply

    async def _connected(self) -> Reply:
        loop, to = asyncio.get_running_loop(), self.address
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, reply = await loop.create_connection(Reply, to.host, to.port)
        except (OSError, UnicodeError) as error:  # TimeoutError is one; a name may be no host's
            reason = str(getattr(error, "strerror", "") or type(error).__name__)
            raise Unanswered(f"nobody answers at {to} ({reason})") from None
        return reply

    def _release(self, reply: Reply) -> None:
        if reply.is_free and not self.is_closed:
            reply.is_used = True
            self._free.append(reply)
        else:
            reply.close()


async def _answers(reply: Reply, head: bytes, body: bytes) -> bool:
    """False where one that was kept was closed at the other end before it was asked. Raises
    Unanswered."""
    try:
        await reply.ask(head, body)
    except Unanswered:
        reply.close()
        if reply.is_used and not reply.has_begun:
            return False
        raise
    except BaseException:
        reply.close()
        raise
    return True
