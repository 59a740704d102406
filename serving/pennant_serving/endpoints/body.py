"""Reading request bodies, up to a limit for each and one for all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from pennant_serving.errors import InvalidInput, TooLarge, Unavailable, UnsupportedMediaType

LIMIT = 64 * 1024 * 1024
"""Bytes. Larger batches should be split: the whole body is parsed at once."""
TOGETHER = 4 * LIMIT
"""Bytes of all bodies that are being read or answered."""
SMALL = 64 * 1024
"""Bytes. A body up to this size is taken however many large ones there are."""


class Bodies:
    """The bodies that one process holds."""

    def __init__(self) -> None:
        self._held = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """The body, whatever it says it is, held until the block is left.

        Raises TooLarge, UnsupportedMediaType if it is compressed, and Unavailable while the others
        take all the room there is.
        """
        encoding = request.headers.get("content-encoding", "identity").lower()
        if encoding != "identity":
            message = f"content-encoding {encoding} is not supported: send it plain"
            raise UnsupportedMediaType(message)
        _check(request.headers.get("content-length", "0"))
        chunks = bytearray()
        try:
            async for chunk in request.stream():
                chunks += chunk
                self._held += len(chunk)
                _check(str(len(chunks)))
                if len(chunks) > SMALL and self._held > TOGETHER:
                    raise Unavailable(f"{TOGETHER} bytes of requests are being answered already")
            yield bytes(chunks)
        finally:
            self._held -= len(chunks)


def header_length(request: Request) -> int | None:
    """How many bytes of a V2 body are JSON; None when all are. Raises InvalidInput."""
    text = request.headers.get("inference-header-content-length")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > len(str(LIMIT)):
        raise InvalidInput(f"inference-header-content-length {text!r} is not a number of bytes")
    return int(text)


def _check(length: str) -> None:
    if length.isdigit() and int(length) > LIMIT:
        raise TooLarge(f"the body has {length} bytes, more than the {LIMIT} that are taken")
