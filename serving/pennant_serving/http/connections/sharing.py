"""Requests that are for another version, or for another one, too.

Who chooses them, and what becomes of them, is of no concern to a connection.
"""

from __future__ import annotations

from typing import Protocol

from starlette.types import ASGIApp

from pennant_serving.http.connections.heads import Headers

INSTEAD = "pennant.instead"
"""In the scope of a request that was chosen: the application that answers it."""
FOREIGN = "pennant.foreign"
"""In the start of an answer that is another server's: its headers are all there are."""


class Choosing(Protocol):
    """Asked for each request."""

    def choose(self, method: bytes, target: bytes, headers: Headers) -> ASGIApp | None:
        """The application that answers a request of this head in the place of the server's, if one
        does; names of headers are in lower case."""
