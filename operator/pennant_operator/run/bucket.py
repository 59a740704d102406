"""A token bucket that refuses: what comes too fast is turned away, not kept waiting."""

import asyncio


class Bucket:
    """Lets `burst` through at once and `rate` a second from then on."""

    def __init__(self, rate: float, burst: int) -> None:
        self._interval = 1 / rate
        self._reserve = burst * self._interval
        self._free_at = float("-inf")

    def take(self) -> bool:
        """Whether one more may pass now."""
        now = asyncio.get_running_loop().time()
        # The bucket fills up to its burst and no further.
        free_at = max(self._free_at, now - self._reserve) + self._interval
        if free_at > now:
            return False
        self._free_at = free_at
        return True
