"""One line of JSON for each request, under the id that the client gave or gets."""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

import orjson

HEADER = b"x-request-id"
PROPER = re.compile(rb"[\x21-\x7e]{1,128}")


def request_id(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The client's id for a request, or a new one when it has none that can be written down."""
    for name, value in headers:
        if name == HEADER and PROPER.fullmatch(value):
            return value
    return uuid.uuid4().hex.encode()


class AccessLog:
    """Writes to standard output, which the node's log collector reads."""

    def __init__(self, model: str, version: str) -> None:
        self._identity = {"model": model, "version": version}

    def write(
        self, tag: bytes, method: str, path: str, code: int, seconds: float, **more: str
    ) -> None:
        """Tell of one request that was answered; `more` takes the place of what is the same in
        other lines."""
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "id": tag.decode("ascii"),
            "method": method,
            "path": path,
            "status": code,
            "seconds": round(seconds, 6),
        }
        sys.stdout.buffer.write(orjson.dumps(line | self._identity | more) + b"\n")
        sys.stdout.buffer.flush()
