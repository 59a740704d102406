"""What can be seen of a connection, for the limits to judge."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from pennant_serving.connections.limits import Motion, Pace

ACKED = 120
"""Where Linux has the bytes that the other side has acknowledged in its `struct tcp_info`."""


class Leaving:
    """The answers of one connection on their way to the client.

    What the kernel has taken is not what the client has: its buffers hold megabytes, and tell of
    room in large steps only. So it is asked how much was acknowledged.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._socket: Any = transport.get_extra_info("socket")
        self._pace: Pace | None = None

    def motion(self, now: float) -> Motion | None:
        """Since something was first seen to wait for the client; None when nothing does."""
        if self._transport.get_write_buffer_size() == 0:
            self._pace = None
            return None
        acked = self._acked()
        if self._pace is None:
            self._pace = Pace(now, acked)
        return self._pace.motion(now, acked)

    def restart(self) -> None:
        """Count from now on."""
        self._pace = None

    def _acked(self) -> int:
        try:
            info: bytes = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, ACKED + 8)
        except OSError:  # closed just now
            return 0
        return int.from_bytes(info[ACKED:], "little") if len(info) == ACKED + 8 else 0
