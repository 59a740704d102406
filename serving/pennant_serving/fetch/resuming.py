"""One file on its way from an HTTP server to the disk: whole, or going on where it broke off.

How long it is says the listing, else the answer itself. What ends early or is longer is trouble on
the way, and never the model's fault. What was received is kept only while the server says that it
goes on with the same file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from pathlib import Path

from pennant_serving.fetch.answers import Trouble

CHUNK_BYTES = 1 << 18
CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
VALIDATORS = ("ETag", "Last-Modified")
"""Of the file as it was when it was begun."""


class Download:
    """`heard` is told that bytes came, and whether any before them went as far."""

    def __init__(self, target: Path, size: int | None, heard: Callable[[bool], None]) -> None:
        self._target, self._listed, self._heard = target, size, heard
        self._furthest = 0
        self.start_anew()

    def start_anew(self) -> None:
        """Nothing of what was received counts any more."""
        self._received = 0
        self._size = self._listed
        self._validators: dict[str, str] = {}

    def headers(self) -> dict[str, str]:
        """What to ask for: all, or the rest."""
        if not self._received:
            return {}
        wanted = {"Range": f"bytes={self._received}-"}
        strong = (each for each in self._validators.values() if not each.startswith("W/"))
        if validator := next(strong, None):
            wanted["If-Range"] = validator
        return wanted

    def take(self, response: HTTPResponse) -> None:
        """Write what the answer holds. Raises Trouble when the file is not whole afterwards."""
        try:
            self._check(response)
        except Trouble:
            self.start_anew()
            raise
        with self._target.open("r+b" if self._received else "wb") as file:
            file.seek(self._received)
            file.truncate()
            for chunk in _chunks(response):
                file.write(chunk)
                self._count(len(chunk))
        if self._size is not None and self._received != self._size:
            raise Trouble(f"ended after {self._received} of {self._size} bytes")

    def _check(self, response: HTTPResponse) -> None:
        if _is_page(response):
            problem = "answered a page of HTML instead of the file: is there a login in the way?"
            raise Trouble(problem)
        if response.status == 206:
            self._check_rest(response)
        elif response.status == 200:
            self._begin(response)
        else:
            raise Trouble(f"answered {response.status} instead of the file")

    def _begin(self, response: HTTPResponse) -> None:
        """A whole file, also when its rest was asked for: many servers know no ranges."""
        self.start_anew()
        validators = ((name, response.headers.get(name)) for name in VALIDATORS)
        self._validators = {name: value for name, value in validators if value}
        length = response.length
        if self._listed is not None:
            if length not in (None, self._listed):
                raise Trouble(f"answered {length} bytes, but lists the file with {self._listed}")
            return
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise Trouble("answered the file compressed, which nobody asked for")
        self._size = length

    def _check_rest(self, response: HTTPResponse) -> None:
        content_range = response.headers.get("Content-Range", "none")
        parts = CONTENT_RANGE.fullmatch(content_range.strip())
        if parts is None or not self._received or int(parts[1]) != self._received:
            raise Trouble(
                f"answered range {content_range}, asked for the rest from {self._received} on"
            )
        size = None if parts[3] == "*" else int(parts[3])
        if None not in (size, self._size) and size != self._size:
            raise Trouble(f"answered range {content_range} of a file of {self._size} bytes")
        if response.length not in (None, int(parts[2]) + 1 - int(parts[1])):
            raise Trouble(f"answered range {content_range} with {response.length} bytes")
        if any(response.headers.get(n, was) != was for n, was in self._validators.items()):
            raise Trouble("the file was changed while it was downloaded")
        self._size = size if self._size is None else self._size

    def _count(self, more: int) -> None:
        self._received += more
        if self._size is not None and self._received > self._size:
            size = self._size
            self.start_anew()
            raise Trouble(f"answered more than the {size} bytes of the file")
        self._heard(self._received > self._furthest)
        self._furthest = max(self._furthest, self._received)


def _chunks(response: HTTPResponse) -> Iterator[bytes]:
    """As they come, up to the length that the answer says, or to its end."""
    left = response.length
    while left is None or left > 0:
        try:
            chunk = response.read1(CHUNK_BYTES if left is None else min(CHUNK_BYTES, left))
        except OSError as error:  # any: of the file on the disk there are others
            raise Trouble(f"the connection broke: {error!r}") from error
        if not chunk:
            return
        left = None if left is None else left - len(chunk)
        yield chunk


def _is_page(response: HTTPResponse) -> bool:
    """MLflow always sends a file as an attachment, also a file that is HTML."""
    disposition = str(response.headers.get("Content-Disposition", ""))
    is_html = response.headers.get_content_type() == "text/html"
    return is_html and not disposition.startswith("attachment")
