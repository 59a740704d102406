"""The traffic file: looked at again and again, and heeded when it has changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from pennant_serving.traffic.shares import CONTENT_LIMIT_BYTES, Shares, TrafficError, parse

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 0.2
"""Between two looks. The kubelet puts another file in this one's place."""
Stamp = tuple[int, int, int, int] | None


class TrafficFile:
    """One that is not there, or empty, asks for nothing; so does one that cannot be read."""

    def __init__(
        self, path: Path, heed: Callable[[Shares], None], unreadable: Callable[[], None]
    ) -> None:
        """`heed` is called with shares that differ from those before."""
        self._path = path
        self._heed = heed
        self._unreadable = unreadable
        self._seen: Stamp = None
        self._shares = Shares()

    async def follow(self) -> None:
        """Look, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Heed what has changed."""
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        shares = self._read()
        if shares != self._shares:
            self._shares = shares
            self._heed(shares)

    def _stamp(self) -> Stamp:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size

    def _read(self) -> Shares:
        try:
            with self._path.open("rb") as file:
                return parse(file.read(CONTENT_LIMIT_BYTES + 1))
        except FileNotFoundError:
            return Shares()
        except (OSError, TrafficError) as error:
            LOG.warning("%s cannot be read, all requests stay here: %s", self._path, error)
            self._unreadable()
            return Shares()
