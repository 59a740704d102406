"""Reading request bodies, up to a limit."""

from __future__ import annotations

from starlette.requests import Request

from pennant_serving.errors import InvalidInput, TooLarge, UnsupportedMediaType

LIMIT = 64 * 1024 * 1024
"""Bytes. Larger batches should be split: the whole body is parsed at once."""


async def read(request: Request) -> bytes:
    """The body, whatever it says it is. Raises TooLarge, or UnsupportedMediaType if compressed."""
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise UnsupportedMediaType(f"content-encoding {encoding} is not supported: send it plain")
    _check(request.headers.get("content-length", "0"))
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        _check(str(len(chunks)))
    return bytes(chunks)


def header_length(request: Request) -> int | None:
    """How many bytes of a V2 body are JSON; None when all are. Raises InvalidInput."""
    text = request.headers.get("inference-header-content-length")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise InvalidInput(f"inference-header-content-length {text!r} is not a number of bytes")
    return int(text)


def _check(length: str) -> None:
    if length.isdigit() and int(length) > LIMIT:
        raise TooLarge(f"the body has {length} bytes, more than the {LIMIT} that are taken")
