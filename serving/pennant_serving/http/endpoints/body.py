"""Request bodies: admitted while they arrive, whoever reads them, and read whole by our routes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pennant_serving.admission import BODY_LIMIT_BYTES, Admission, check_size
from pennant_serving.errors import InvalidInput, UnsupportedMediaType


class Admitted:
    """ASGI middleware: what reads a body gets TooLarge or Unavailable when it may not be held.

    It is held until the response begins: how fast a client reads that is another limit's business.
    """

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._admission.reserve() as reservation:

            async def admitted() -> Message:
                if not reservation.bytes:
                    check_size(declared_length(scope))
                message = await receive()
                if body := message.get("body"):
                    reservation.grow(reservation.bytes + len(body))
                return message

            async def answered(message: Message) -> None:
                if message["type"] == "http.response.start":
                    reservation.release()
                await send(message)

            await self._app(scope, admitted, answered)


async def read(request: Request) -> bytes:
    """The whole body. Raises UnsupportedMediaType if it is compressed, and what `Admitted` does."""
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        message = f"content-encoding {encoding} is not supported: send it plain"
        raise UnsupportedMediaType(message)
    chunks = [chunk async for chunk in request.stream()]
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def header_length(request: Request) -> int | None:
    """How many bytes of a V2 body are JSON; None when all are. Raises InvalidInput."""
    text = request.headers.get("inference-header-content-length")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > len(str(BODY_LIMIT_BYTES)):
        raise InvalidInput(f"inference-header-content-length {text!r} is not a number of bytes")
    return int(text)


def declared_length(scope: Scope) -> int:
    """The length that the head says; 0 when it says none."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
