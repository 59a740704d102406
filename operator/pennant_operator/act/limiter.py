"""A token bucket: how fast this operator may write."""

import asyncio


class Limiter:
    """Lets `burst` requests through at once and `rate` a second from then on, in order."""

    def __init__(self, rate: float, burst: int) -> None:
        self._interval = 1 / rate
        self._reserve = burst * self._interval
        self._free_at = float("-inf")

    async def wait(self) -> None:
        """Return when the next request may be sent."""
        now = asyncio.get_running_loop().time()
        # The bucket fills up to its burst and no further.
        self._free_at = max(self._free_at, now - self._reserve) + self._interval
        if self._free_at > now:
            await asyncio.sleep(self._free_at - now)
