"""Which deliveries were taken already: none is taken twice, and memory stays bounded."""

import heapq

from pennant_operator.observe.webhook.delivery import CLOCK_TOLERANCE_SECONDS

DELIVERIES_LIMIT = 10_000  # webhooks of one registry remembered, none of which is taken twice


class Remembered:
    """Deliveries of one registry, each for as long as its time would still let it in."""

    def __init__(self, limit: int = DELIVERIES_LIMIT) -> None:
        self._limit = limit
        self._ids: set[str] = set()
        self._by_time: list[tuple[int, str]] = []
        self._floor = -1  # what was sent until then may have been forgotten, and is refused

    def __len__(self) -> int:
        return len(self._ids)

    def take(self, name: str, sent: int, now: float) -> bool:
        """Whether this delivery is new; then it is not any more."""
        while self._by_time and self._by_time[0][0] < now - CLOCK_TOLERANCE_SECONDS:
            self._forget()
        if name in self._ids or sent <= self._floor:
            return False
        self._ids.add(name)
        heapq.heappush(self._by_time, (sent, name))
        while len(self._by_time) > self._limit:
            # Full: the oldest goes, and everything of its age with it. The window shrinks.
            self._floor = self._by_time[0][0]
            self._forget()
        return True

    def _forget(self) -> None:
        _, name = heapq.heappop(self._by_time)
        self._ids.discard(name)
