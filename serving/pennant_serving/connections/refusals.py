"""Answers to what was not understood, in their turn behind those that are due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pennant_serving.refusal import refusal

if TYPE_CHECKING:
    from pennant_serving.connections.connection import HttpConnection


class Refused(Exception):  # noqa: N818 - it is one
    """What has arrived is no request that could be answered."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Refusal:
    """The last answer of its connection."""

    def __init__(self, connection: HttpConnection, refused: Refused) -> None:
        self._connection = connection
        self._refused = refused

    def start(self) -> None:
        """Say why, and let the client read it."""
        lines = b"".join(b"%s: %s\r\n" % each for each in self._connection.default_headers)
        answer = refusal(self._refused.status, str(self._refused), lines)
        self._connection.respond_last(answer)

    def leave(self, status: int) -> None:
        """Nobody will read it."""
