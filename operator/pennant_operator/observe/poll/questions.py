"""What a registry is asked between two polls, and how soon.

The first question is asked at once. Those that come while it is answered, and for a while after,
wait and are asked together, so that whoever causes them, however many, takes a fifth of a server's
time at most, or a question a second where it answers slowly.
"""

import asyncio
import contextlib

from pennant_operator.decide.seen.spec import Watch

GATHER = 0.05  # seconds: ModelDeployments that come together are asked for together
REST = 4  # times as long as the answers took
LEAST_REST, MOST_REST = 0.05, 1.0  # seconds


class Questions:
    """New ones, whose answers nobody knows, and hinted ones, whose answers may have changed."""

    def __init__(self) -> None:
        self._came = asyncio.Event()
        self._new = False
        self._hinted: set[Watch] = set()
        self._rested = float("-inf")

    def new(self) -> None:
        """There is something that was never asked."""
        self._new = True
        self._came.set()

    def hinted(self, watch: Watch) -> None:
        """This may have another answer by now."""
        self._hinted.add(watch)
        self._came.set()

    def taken(self) -> tuple[bool, set[Watch]]:
        """Whether there are new ones, and the hinted ones; none are left."""
        taken = self._new, self._hinted
        self._new, self._hinted = False, set()
        self._came.clear()
        return taken

    async def came(self, until: float) -> bool:
        """Whether a question came, and may be asked, before this time of the loop."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self._came.wait()
                gather = 0.0 if self._hinted else GATHER
                await asyncio.sleep(max(gather, self._rested - loop.time()))
        return loop.time() < until

    def rest(self, took: float) -> None:
        """The server answered for so many seconds: let it do something else for a while."""
        pause = min(MOST_REST, max(LEAST_REST, REST * took))
        self._rested = asyncio.get_running_loop().time() + pause
