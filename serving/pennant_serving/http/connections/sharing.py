"""Requests that are for another version, or for another one, too.

Who chooses them, and what becomes of them, is of no concern to a connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from starlette.types import ASGIApp

from pennant_serving.http.connections.heads import Headers

INSTEAD = "pennant.instead"
"""In the scope of a request that was chosen: the application that answers it."""
FOREIGN = "pennant.foreign"
"""In the start of an answer that is another server's: its headers are all there are."""


class Copy(Protocol):
    """Told of a request that was answered with 200 without the application."""

    def __call__(
        self,
        target: bytes,
        headers: Headers,
        protocol: str,
        body: bytes,
        answer: bytes,
        seconds: float,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Chosen:
    """What becomes of a request that was chosen."""

    app: ASGIApp
    """Answers it in the place of the server's application."""
    copy: Copy | None = None
    """Where it may just as well be answered as ever, if this is told."""


class Choosing(Protocol):
    """Asked for each request."""

    def choose(self, method: bytes, target: bytes, headers: Headers) -> Chosen | None:
        """What becomes of a request with this head, if it is chosen; names of headers are in lower
        case."""
