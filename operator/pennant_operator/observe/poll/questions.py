"""What a registry is asked between two polls, and how soon.

The first question is asked at once. Those that come while it is answered, and for a while after,
wait and are asked together, so that whoever causes them, however many, takes a fifth of a server's
time at most, or a question a second where it answers slowly.
"""

import asyncio
import contextlib

from pennant_operator.decide.seen.spec import Watch

GATHER_SECONDS = 0.05  # in which new ModelDeployments are gathered into one question
REST_FACTOR = 4  # times as long as its last answers took, a registry is asked nothing more
SHORTEST_REST_SECONDS = 0.05  # that a registry is asked nothing more, however fast it answers
LONGEST_REST_SECONDS = 1.0  # that a registry is asked nothing more, however slow it answers


class Questions:
    """New ones, whose answers nobody knows, and hinted ones, whose answers may have changed."""

    def __init__(self) -> None:
        self._came = asyncio.Event()
        self._new = False
        self._hinted: set[Watch] = set()
        self._rested = float("-inf")

    def add_new(self) -> None:
        """There is something that was never asked."""
        self._new = True
        self._came.set()

    def add_hint(self, watch: Watch) -> None:
        """This may have another answer by now."""
        self._hinted.add(watch)
        self._came.set()

    def take(self) -> tuple[bool, set[Watch]]:
        """Whether there are new ones, and the hinted ones; none are left here."""
        taken = self._new, self._hinted
        self._new, self._hinted = False, set()
        self._came.clear()
        return taken

    async def wait(self, until: float) -> bool:
        """Whether a question came, and may be asked, before this time of the loop."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self._came.wait()
                gather = 0.0 if self._hinted else GATHER_SECONDS
                await asyncio.sleep(max(gather, self._rested - loop.time()))
        return loop.time() < until

    def pause_after(self, took: float) -> None:
        """The server answered for so many seconds: let it do something else for a while."""
        pause = min(LONGEST_REST_SECONDS, max(SHORTEST_REST_SECONDS, REST_FACTOR * took))
        self._rested = asyncio.get_running_loop().time() + pause
