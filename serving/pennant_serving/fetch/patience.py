"""How long failed attempts may go on: pure but for the clock."""

from __future__ import annotations

import time
from collections.abc import Callable

FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.2, 5.0
"""Seconds of the pauses between attempts, which double."""


class Patience:
    """Counts the seconds of failed attempts in which nothing came, and of the pauses after them.

    Bytes that were not there before make it whole again: however often a download breaks off, one
    that gets on is bounded by the deadline of the phase alone.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._whole = self._left = seconds
        self._clock = clock
        self._delay = FIRST_RETRY_SECONDS
        self._silent_since = clock()

    def task(self) -> None:
        """Something new is to be done, for which nothing has failed yet."""
        self._delay = FIRST_RETRY_SECONDS

    def attempt(self) -> None:
        """An attempt begins."""
        self._silent_since = self._clock()

    def heard(self, *, news: bool) -> None:
        """Bytes came; `news` are those that no attempt before has brought."""
        self._silent_since = self._clock()
        if news:
            self._left, self._delay = self._whole, FIRST_RETRY_SECONDS

    def failed(self) -> float | None:
        """Seconds to pause before the next attempt; None when patience is over."""
        pause = self._delay
        self._delay = min(2 * pause, LONGEST_RETRY_SECONDS)
        self._left -= self._clock() - self._silent_since + pause
        return pause if self._left >= 0 else None
