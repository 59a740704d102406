"""What the rest of the operator knows of leading, and the case without a Lease."""

import asyncio
import sys
import time
from typing import Protocol


class LostError(Exception):
    """This process may not write any more; it ends, and starts anew as a candidate."""


class Leadership(Protocol):
    """Whether this process is the one that writes."""

    looked: asyncio.Event
    """It is known who holds the Lease, or the first try has failed."""
    acquired: asyncio.Event
    """This process became the holder."""
    predecessor: str | None
    """The last decision that the process before printed, where its Lease has it."""

    @property
    def holder(self) -> str:
        """Who held the Lease when it was last looked at; empty when nobody is known to."""

    def may_last(self) -> float:
        """Seconds that a write begun now may take; 0: none may begin."""

    async def run(self) -> None:
        """Become the holder and stay it; raises LostError when that has failed."""

    def resign(self) -> None:
        """No write begins from now on."""

    async def release(self) -> None:
        """Leave the Lease to others; for when no write is under way and `run` has ended."""


class Alone:
    """Without a Lease: whoever starts the operator answers for its being the only one."""

    def __init__(self) -> None:
        self.looked = self.acquired = asyncio.Event()
        self.acquired.set()
        self.predecessor: str | None = None

    @property
    def holder(self) -> str:
        """Nobody: there is no Lease."""
        return ""

    def may_last(self) -> float:
        """As long as it likes."""
        return float("inf")

    async def run(self) -> None:
        """For ever."""
        await asyncio.Event().wait()

    def resign(self) -> None:
        """Nobody waits for it."""

    async def release(self) -> None:
        """There is nothing to leave."""


def clock() -> float:
    """Seconds that never jump, and on Linux go on while the machine sleeps."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
