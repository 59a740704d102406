"""Answers in the order of their requests: one begins when the one before it has been sent, and the
client has room for it."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from uvicorn.protocols.http.flow_control import FlowControl

READ_AHEAD_REQUESTS = 16
"""Requests that are read before the first of them is answered. Whoever sends more waits."""


class Due(Protocol):
    """An answer that is due."""

    def start(self) -> None:
        """Its turn has come."""

    def leave(self, status: int) -> None:
        """It will not be sent; `status` is how the request counts."""


class Turns:
    """Those whose answers are due on one connection."""

    def __init__(self, flow: FlowControl) -> None:
        self._flow = flow
        self.due: deque[Due] = deque()
        self._is_begun = False
        """The first is being answered."""

    def add(self, due: Due) -> None:
        """Behind the others."""
        self.due.append(due)
        if not self._is_begun:
            self.go_on()
        if len(self.due) > READ_AHEAD_REQUESTS:
            self._flow.pause_reading()

    def go_on(self) -> None:
        """Begin the next, unless the client does not read what it has got already."""
        if self.due and not self._is_begun and not self._flow.write_paused:
            self._is_begun = True
            self.due[0].start()

    def end(self) -> None:
        """The first has been answered."""
        self.due.popleft()
        self._is_begun = False
        if self._flow.read_paused and len(self.due) <= READ_AHEAD_REQUESTS:
            self._flow.resume_reading()

    def drop(self, status: int) -> None:
        """The last will not be answered, whether it has begun or not."""
        self.due.pop().leave(status)
        self._is_begun = self._is_begun and len(self.due) > 0

    def drop_all(self, status: int) -> None:
        """None will be answered."""
        while self.due:
            self.drop(status)
