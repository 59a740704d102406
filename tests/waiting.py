"""Waiting is asking until the answer is yes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 90.0  # seconds, on a machine that has other things to do


def until(
    found: Callable[[], T], seconds: float = PATIENCE, *, seen: Callable[[], object] | None = None
) -> T:
    """Ask until the answer is true; the answer. AssertionError at the deadline, with what is seen.

    That is the answer itself where nothing else is told.
    """
    deadline = time.monotonic() + seconds
    while True:
        answer = found()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"still {seen() if seen else repr(answer)} after {seconds} s")
        time.sleep(0.05)
