"""ModelRegistries that somebody named and that are not there: awaited for a moment, then given up.

Objects that are applied together come in any order, and a ModelRegistry is known by the next LIST
only. Nobody is told that a person must act before that had its time.
"""

import asyncio
import contextlib
from collections.abc import Callable, Set
from datetime import datetime, timedelta

# that a ModelRegistry which is named and not there is waited for
ARRIVAL_GRACE = timedelta(seconds=5)
AWAITED_LIST_SECONDS = 1.0  # between two LISTs of ModelRegistries while one is awaited


class Awaited:
    """The names, and when each is given up."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._until: dict[str, datetime] = {}
        self._given_up: set[str] = set()
        self._news = asyncio.Event()

    def waits_for(self, name: str) -> bool:
        """Whether one that is not there may still come; asking for a new one starts its time."""
        if name in self._given_up:
            return False
        if name not in self._until:
            self._until[name] = self._now() + ARRIVAL_GRACE
            self._news.set()
        return True

    def listed(self, existing: Set[str], named: Set[str], *, first: bool) -> set[str]:
        """Take a LIST in; the names that are given up by it.

        What the first LIST of a process lacks was awaited by an earlier one.
        """
        missing = named - existing
        now = self._now()
        over = {name for name in missing if first or self._until.get(name, now) < now}
        self._until = {name: self._until[name] for name in missing & self._until.keys() - over}
        self._given_up = (self._given_up & missing) | over
        return over

    async def pause(self, interval_seconds: float) -> None:
        """Until the next LIST: soon while one is awaited, at once when one was just named."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(
                self._news.wait(), AWAITED_LIST_SECONDS if self._until else interval_seconds
            )
        self._news.clear()
