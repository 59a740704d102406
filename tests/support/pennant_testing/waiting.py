"""Waiting is asking until the answer is yes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
WAIT_SECONDS = 180.0  # seconds, on a machine that has other things to do


def until(
    look: Callable[[], T],
    seconds: float = WAIT_SECONDS,
    *,
    seen: Callable[[], object] | None = None,
) -> T:
    """Ask until the answer is true; the answer. AssertionError at the deadline, with what is seen.

    That is the answer itself where nothing else is told. No more than half of the time goes into
    asking: whoever is waited for may need the processor.
    """
    deadline = time.monotonic() + seconds
    while True:
        asked = time.monotonic()
        answer = look()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"still {seen() if seen else repr(answer)} after {seconds} s")
        time.sleep(max(0.05, time.monotonic() - asked))


def still(look: Callable[[], T], seconds: float = 3) -> T:
    """Look until what is seen has been the same for so long: what was begun is over; what is seen.

    AssertionError at the deadline of `until`, with what is seen then.
    """
    answer, since = look(), time.monotonic()

    def same() -> bool:
        nonlocal answer, since
        before, answer = answer, look()
        since = since if answer == before else time.monotonic()
        return time.monotonic() - since >= seconds

    until(same, seen=lambda: f"changing: {answer}")
    return answer
