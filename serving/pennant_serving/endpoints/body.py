"""Reading request bodies, up to a limit."""

from __future__ import annotations

from starlette.requests import Request

from pennant_serving.errors import InvalidInput, TooLarge, UnsupportedMediaType

LIMIT = 64 * 1024 * 1024
"""Bytes. Larger batches should be split: the whole body is parsed at once."""


async def read_json(request: Request) -> bytes:
    """The body. Raises TooLarge, or UnsupportedMediaType when it says that it is not JSON."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if kind.lower() not in ("application/json", "text/json"):
        raise UnsupportedMediaType(f"content-type {kind} is not supported: send application/json")
    if "inference-header-content-length" in request.headers:
        raise InvalidInput("binary tensors are not supported: send the data as JSON")
    _check(request.headers.get("content-length", "0"))
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        _check(str(len(chunks)))
    return bytes(chunks)


def _check(length: str) -> None:
    if length.isdigit() and int(length) > LIMIT:
        raise TooLarge(f"the body has {length} bytes, more than the {LIMIT} that are taken")
