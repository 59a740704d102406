"""How much may happen: a burst at once, and so many a second from then on."""

import asyncio


class TokenBucket:
    """Lets `burst` through at once and `rate` a second from then on, by the loop's clock."""

    def __init__(self, rate: float, burst: int) -> None:
        self._interval = 1 / rate
        self._reserve = burst * self._interval
        self._free_at = float("-inf")

    def take(self) -> bool:
        """Whether one more may pass now; what comes too fast is turned away."""
        now, free_at = self._next()
        if free_at > now:
            return False
        self._free_at = free_at
        return True

    async def wait(self) -> None:
        """Return when one more may pass, in the order of the calls."""
        now, self._free_at = self._next()
        if self._free_at > now:
            await asyncio.sleep(self._free_at - now)

    def _next(self) -> tuple[float, float]:
        """Now, and when one more may pass: the bucket fills up to its burst and no further."""
        now = asyncio.get_running_loop().time()
        return now, max(self._free_at, now - self._reserve) + self._interval
