"""A connection to a candidate: how much of its answer is read before it is taken."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pennant_serving.traffic.reply import HIGH_WATER_BYTES, Reply

pytestmark = pytest.mark.unit


class Transport(asyncio.Transport):
    """Keeps what it is told."""

    is_reading = True
    is_aborted = False

    def writelines(self, _parts: Any) -> None:
        """Nobody gets them."""

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True

    def is_closing(self) -> bool:
        return self.is_aborted

    def abort(self) -> None:
        self.is_aborted = True


def test_no_more_of_a_stream_is_read_than_its_client_takes():
    async def scenario() -> None:
        reply, transport = Reply(), Transport()
        reply.connection_made(transport)
        asking = asyncio.create_task(reply.ask(b"", b""))
        await asyncio.sleep(0)
        reply.data_received(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n")
        await asking
        parts = reply.parts()
        assert await anext(parts) == b"x"
        piece = b"x" * HIGH_WATER_BYTES
        reply.data_received(b"%x\r\n%s\r\n" % (len(piece), piece))
        assert transport.is_reading
        reply.data_received(b"1\r\ny\r\n0\r\n\r\n")  # while nobody takes it
        assert not transport.is_reading
        assert await anext(parts) == piece + b"y"
        assert (reply.is_free, transport.is_reading) == (True, True)

    asyncio.run(scenario())
