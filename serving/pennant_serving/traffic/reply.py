"""One connection to another version, which answers one request at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import httptools

from pennant_serving.http.connections.limits import is_head_too_long

HIGH_WATER_BYTES = 256 * 1024
"""Of an answer that is passed on as it comes: beyond that no more is read."""
NO_BODY = (204, 304)


class Unanswered(Exception):  # noqa: N818 - what became of a request
    """There is no answer, or not all of it; says why."""


class Unasked(Exception):  # noqa: N818 - stops the parser
    """Raised in a callback: another answer follows, to no question."""


class Reply(asyncio.Protocol):
    """What answers: its status and headers, then its body."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        """Names in lower case."""
        self.is_used = False
        """It has answered before, and may have been closed since."""
        self.has_begun = False
        """Something of the answer has arrived."""
        self._parser = httptools.HttpResponseParser(self)
        self._is_whole = True  # and more is nothing that anybody asked for
        self._has_head = self._keeps = self._is_lost = False
        self._is_flowing = self._is_paused = False
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._received = self._received_body = 0
        self._news = asyncio.Event()
        self._transport: asyncio.Transport

    # What the event loop calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.has_begun = True
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.close()
        if is_head_too_long(self._received - self._received_body, self._received_body):
            self.close()
        if self._is_flowing and self._size > HIGH_WATER_BYTES and self.is_open:
            self._transport.pause_reading()
            self._is_paused = True
        self._news.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._is_lost = True
        del self._parser  # which refers to this
        if error is None and self._has_head and self.length is None and not self._is_chunked:
            self._is_whole = True  # such an answer ends with its connection
        self._news.set()

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._is_whole:
            raise Unasked

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._has_head:  # else it is a trailer
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self._has_head = self.status >= 200
        if not self._has_head:
            self.headers = []

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)
        self._size += len(body)
        self._received_body += len(body)

    def on_message_complete(self) -> None:
        if self._has_head:
            self._keeps = self._parser.should_keep_alive()
            self._is_whole = True

    # What is asked of it.

    async def ask(self, head: bytes, body: bytes) -> None:
        """Until the head of the answer is there. Raises Unanswered."""
        self.status, self.headers = 0, []
        self.has_begun = self._has_head = self._is_whole = self._is_flowing = False
        self._received = self._received_body = 0
        self._transport.writelines((head, body))
        while not self._has_head:
            await self._more()

    @property
    def length(self) -> int | None:
        """Bytes of the body, as the head says; None where it says none."""
        if self.status in NO_BODY:
            return 0
        text = next((value for name, value in self.headers if name == b"content-length"), b"")
        return int(text.lstrip(b"0") or b"0") if text.isdigit() else None

    @property
    def is_open(self) -> bool:
        """Whether it can be asked, as far as is known."""
        return not self._is_lost and not self._transport.is_closing()

    @property
    def is_free(self) -> bool:
        """Whether it can be asked anew: all of the answer has been read."""
        return self._is_whole and self._keeps and not self._pieces and self.is_open

    async def whole(self, limit: int) -> bytes:
        """All of the body. Raises Unanswered when it does not end, or has more bytes than this."""
        while not self._is_whole:
            self._check(limit)
            await self._more()
        self._check(limit)
        return self._taken()

    async def parts(self) -> AsyncIterator[bytes]:
        """The body as it comes, and no sooner than it is taken. Raises Unanswered when it does not
        end."""
        self._is_flowing = True
        while not self._is_whole:
            if self._pieces:
                yield self._taken()
            else:
                await self._more()
        yield self._taken()

    def close(self) -> None:
        """Whatever is still to come."""
        self._transport.abort()

    def _check(self, limit: int) -> None:
        if max(self._size, self.length or 0) > limit:
            raise Unanswered(f"the answer has more than {limit} bytes")

    def _taken(self) -> bytes:
        taken = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if self._is_paused and self.is_open:
            self._transport.resume_reading()
        self._is_paused = False
        return taken

    async def _more(self) -> None:
        if not self.is_open:
            raise Unanswered("the connection was lost")
        self._news.clear()
        await self._news.wait()

    @property
    def _is_chunked(self) -> bool:
        return any(name == b"transfer-encoding" for name, _ in self.headers)
