"""What has come of the requests that are here, within a bound for all of them."""

from __future__ import annotations

import asyncio

PAGE_BYTES = 16 * 1024
FIRST_PAGES_SHARE = 4
"""One byte of so many is for the first pages: each connection has one of its own, so that small
requests come in however many large ones wait."""
CHUNK_BYTES = 64 * 1024


class Pages:
    """The memory that all requests share."""

    def __init__(self, limit: int) -> None:
        self.places = max(1, limit // FIRST_PAGES_SHARE // PAGE_BYTES)
        """Connections, each of which has its first page."""
        self._free = limit // PAGE_BYTES - self.places
        self._waiting: dict[Buffer, None] = {}

    def take(self) -> bool:
        """One page more; False when there is none."""
        if not self._free:
            return False
        self._free -= 1
        return True

    def give(self, pages: int) -> None:
        """Back, for those who wait longest."""
        self._free += pages
        for buffer in list(self._waiting)[:pages]:
            buffer.changed.set()

    async def wait(self, buffer: Buffer) -> None:
        """Until there may be a page for this one, or something else has changed with it."""
        self._waiting[buffer] = None
        try:
            await buffer.changed.wait()
        finally:
            del self._waiting[buffer]


class Buffer:
    """The bytes of one request, from their arrival until they need not be sent again."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._capacity = PAGE_BYTES
        self._bytes = bytearray()
        self._sent = 0
        self._is_flowing = False
        """A pod takes what comes."""
        self._is_final = False
        """What was sent will not be sent again."""
        self.is_whole = True
        """All that has come is here."""
        self.changed = asyncio.Event()

    @property
    def content(self) -> bytearray:
        """What is here."""
        return self._bytes

    def replace(self, data: bytes) -> None:
        """What has come so far by what is to be sent for it."""
        self._bytes = bytearray(data)

    async def space(self) -> int:
        """How many bytes may be added; waits while there is room for none."""
        while len(self._bytes) >= self._capacity:
            if self._pages.take():
                self._capacity += PAGE_BYTES
            elif self._is_flowing and self._sent:
                self._drop()  # rather than stand still
            else:
                self.changed.clear()
                await self._pages.wait(self)
        return self._capacity - len(self._bytes)

    def add(self, data: bytes) -> None:
        """More has come."""
        self._bytes += data
        self.changed.set()

    def begin(self) -> None:
        """A pod takes it, from the start."""
        self._is_flowing = True
        self.changed.set()

    def stop(self) -> None:
        """That pod takes no more; another one is to be sent all of it."""
        self._sent, self._is_flowing = 0, False

    async def unsent(self) -> bytes:
        """What is to be sent next; waits for it."""
        while self._sent >= len(self._bytes):
            self.changed.clear()
            await self.changed.wait()
        return bytes(self._bytes[self._sent : self._sent + CHUNK_BYTES])

    def sent(self, size: int) -> None:
        """So many bytes are with the pod."""
        self._sent += size
        if self._is_final:
            self._drop()
        self.changed.set()

    def settle(self) -> None:
        """A pod answers: nothing is sent again."""
        self._is_final = True
        self._drop()
        self.changed.set()

    def close(self) -> None:
        """Give all pages back."""
        self._bytes, self._sent = bytearray(), 0
        self._shrink()

    def _drop(self) -> None:
        del self._bytes[: self._sent]
        self._sent, self.is_whole = 0, False
        self._shrink()

    def _shrink(self) -> None:
        needed = max(1, -(-len(self._bytes) // PAGE_BYTES)) * PAGE_BYTES
        spare, self._capacity = (self._capacity - needed) // PAGE_BYTES, needed
        if spare:
            self._pages.give(spare)
