"""What can be seen of a connection, for the limits to judge."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from pennant_serving.http.connections.limits import Motion, Pace

TCP_INFO = struct.Struct("@24xI92xQ16xI")
"""Of Linux's `struct tcp_info`: packets that are on their way, bytes that have been acknowledged,
bytes that the kernel has not sent yet."""


class Leaving:
    """The answers of one connection on their way to the client.

    What the kernel has taken the client does not have yet: there is room for megabytes, and it
    tells of new room in large steps only. So it is asked what was acknowledged.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._socket: Any = transport.get_extra_info("socket")
        self._pace: Pace | None = None
        self._acked = 0
        self._arrived_at = 0.0

    def motion(self, now: float, latest: float) -> Motion | None:
        """None when the client has all that was sent; `latest` is when something last was.

        Where all the rest is with the kernel, any progress will do: answers that follow each other
        over a long way are never all acknowledged.
        """
        has_rest = self._transport.get_write_buffer_size() > 0
        if not has_rest and latest == self._arrived_at:
            return None
        under_way, acked, unsent = self._info()
        if not has_rest and not under_way and not unsent:
            self._pace, self._arrived_at = None, latest
            return None
        if self._pace is None or (not has_rest and acked > self._acked):
            self._pace = Pace(now, acked)
        self._acked = acked
        return self._pace.motion(now, acked)

    def restart(self) -> None:
        """Count from now on."""
        self._pace = None

    def _info(self) -> tuple[int, int, int]:
        try:
            info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size)
            return TCP_INFO.unpack(info)
        except (OSError, struct.error):  # closed just now, or of another kernel
            return 0, 0, 0
