"""Taking in the one message of a call, whose size nobody knows before it is there.

gRPC reads a message whole and says nothing meanwhile, so our methods are streams of one message:
then nothing is read before we ask for it, but for what the flow control lets ahead
(`LOOKAHEAD_BYTES`). What is not there almost at once is a large message, or a slow client: it
counts as the largest that may come until it has come, so that as many are read at a time as there
is room for.
"""

from __future__ import annotations

import asyncio
from typing import Any

import grpc

from pennant_serving.admission import BODY_LIMIT_BYTES, SMALL_BODY_BYTES, Reservation
from pennant_serving.errors import InvalidInput, ServingError, TimedOut

SOON_SECONDS = 0.02
"""Seconds. On a local network two megabytes come in less."""
LOOKAHEAD_BYTES = SMALL_BODY_BYTES
"""Bytes of a message that come before it is asked for."""

Context = grpc.aio.ServicerContext[Any, Any]


async def message(context: Context, reservation: Reservation, seconds: float) -> bytes:
    """The message of a call, which takes this room from now on. Raises Unavailable while others
    take it all, TimedOut, and InvalidInput when there is no message."""
    loop = asyncio.get_running_loop()
    refused: list[ServingError] = []

    def still_coming() -> None:
        try:
            reservation.grow(BODY_LIMIT_BYTES)
        except ServingError as error:
            refused.append(error)
            deadline.reschedule(loop.time())

    later = loop.call_later(SOON_SECONDS, still_coming)
    try:
        async with asyncio.timeout(seconds) as deadline:
            received = await context.read()
    except TimeoutError:
        late = TimedOut(f"the message did not arrive within {seconds:g} s")
        raise (refused or [late])[0] from None
    finally:
        later.cancel()
    if not isinstance(received, bytes):
        raise InvalidInput("the call has no message")
    reservation.grow(len(received))
    return received
