"""Waiting is asking until the answer is yes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
WAIT_SECONDS = 180.0  # seconds, on a machine that has other things to do
WINDOWS = 4
"""So many times that is waited, at most, for what goes on all the while."""


def until(
    look: Callable[[], T],
    seconds: float = WAIT_SECONDS,
    *,
    seen: Callable[[], object] | None = None,
) -> T:
    """Ask until the answer is true; the answer. AssertionError at the deadline, with what is seen.

    That is the answer itself where nothing else is told. Where what is seen changed since the wait
    began, or since the last deadline, it goes on: then the machine is slow, and nothing hangs. No
    more than half of the time goes into asking: whoever is waited for may need the processor.
    """
    began = time.monotonic()
    before, windows = seen() if seen else None, 1
    while True:
        asked = time.monotonic()
        answer = look()
        if answer:
            return answer
        if time.monotonic() > began + windows * seconds:
            now = seen() if seen else repr(answer)
            if seen is None or now == before or windows == WINDOWS:
                raise AssertionError(f"still {now} after {windows * seconds} s")
            before, windows = now, windows + 1
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
