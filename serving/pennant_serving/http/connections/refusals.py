"""Answers to what was not understood, in their turn behind those that are due."""

from __future__ import annotations

from http import HTTPStatus

import orjson

from pennant_serving.http.connections.answering import Answering
from pennant_serving.http.connections.arriving import Refused


class Refusal:
    """The last answer of its connection."""

    def __init__(self, connection: Answering, refused: Refused) -> None:
        self._connection = connection
        self._status = HTTPStatus(refused.status)
        self._why = str(refused)

    def start(self) -> None:
        """Say why, and let the client read it."""
        body = orjson.dumps({"error": self._why})
        lines = [
            f"HTTP/1.1 {self._status} {self._status.phrase}".encode(),
            *(b"%s: %s" % each for each in self._connection.default_headers),
            b"content-type: application/json",
            b"content-length: %d" % len(body),
            b"connection: close",
        ]
        self._connection.respond_last(b"\r\n".join([*lines, b"", body]))

    def leave(self, status: int) -> None:
        """Nobody will read it."""
