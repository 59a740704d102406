"""Clients that connect together are taken together.

libuv accepts one connection in a turn of its loop, and a turn answers all connections before it: of
256 that come at once to a busy server the last one waits for 256 turns, a second or more. So each
connection that the loop has taken brings those that wait behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable


class Waiting:
    """The connections that a listener has and its event loop has not taken yet."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._tasks: set[asyncio.Task[object]] = set()

    def take(self, create: Callable[[], asyncio.Protocol]) -> None:
        """Take them all, each with a protocol of its own."""
        loop = asyncio.get_running_loop()
        # None are left, or no file descriptors for them: the loop goes on as it would anyway.
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                task = loop.create_task(loop.connect_accepted_socket(create, connection))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
