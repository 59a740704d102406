"""The work queue: each key in the hands of one worker at most, and never lost.

The semantics are client-go's. A key that is added while it waits is one key; a key that is added
while it is worked on is worked on once more afterwards, by whoever comes first. What a person or a
pod did (an event, an alias that moved) comes before what a timer or a list of a thousand brings.
"""

import asyncio
import heapq
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from pennant_operator.all_or_none import all_or_none

K = TypeVar("K", bound=Hashable)


class WorkQueue(Generic[K]):
    """Keys to work on, now or later; for use inside one event loop."""

    def __init__(self) -> None:
        self._urgent: OrderedDict[K, None] = OrderedDict()
        self._waiting: OrderedDict[K, None] = OrderedDict()
        self._processing: set[K] = set()
        self._added_meanwhile: dict[K, bool] = {}  # whether it is urgent
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._added = 0  # breaks ties in the heap, so that keys need no order
        self._timer: asyncio.TimerHandle | None = None
        self._wakeup = asyncio.Event()

    def __len__(self) -> int:
        """Keys that wait for a worker."""
        return len(self._urgent) + len(self._waiting) + len(self._added_meanwhile)

    def add(self, key: K, *, urgent: bool = False) -> None:
        """Work on this key as soon as a worker is free; urgent ones first."""
        if key in self._processing:
            self._added_meanwhile[key] = urgent or self._added_meanwhile.get(key, False)
            return
        if urgent:
            self._waiting.pop(key, None)
            self._urgent[key] = None
        elif key not in self._urgent:
            self._waiting[key] = None
        self._wakeup.set()

    def add_after(self, key: K, seconds: float) -> None:
        """Work on this key once the time has passed; of several times the earliest counts."""
        if seconds <= 0:
            self.add(key)
            return
        due = asyncio.get_running_loop().time() + seconds
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            self._added += 1
            heapq.heappush(self._heap, (due, self._added, key))
            self._schedule()

    async def get(self) -> K:
        """The next key; it is the caller's until `done`."""
        while not (self._urgent or self._waiting):
            self._wakeup.clear()
            await self._wakeup.wait()
        key, _ = (self._urgent or self._waiting).popitem(last=False)
        self._processing.add(key)
        # Whoever works on the key now decides anew when to look again.
        self._due.pop(key, None)
        return key

    def done(self, key: K) -> None:
        """The key is nobody's; it waits again if it was added meanwhile."""
        self._processing.discard(key)
        if key in self._added_meanwhile:
            self.add(key, urgent=self._added_meanwhile.pop(key))

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._heap:
            self._timer = asyncio.get_running_loop().call_at(self._heap[0][0], self._release)

    def _release(self) -> None:
        # The timer may fire a clock tick early; the head it was set for is due all the same.
        now = max(asyncio.get_running_loop().time(), self._heap[0][0])
        while self._heap and self._heap[0][0] <= now:
            due, _, key = heapq.heappop(self._heap)
            # An entry that another time took the place of is left over.
            if self._due.get(key) == due:
                del self._due[key]
                self.add(key)
        self._timer = None
        self._schedule()


async def work(queue: WorkQueue[K], workers: int, handle: Callable[[K], Awaitable[None]]) -> None:
    """Hand keys to this many workers until cancelled; whatever ends one of them ends them all."""

    async def worker() -> None:
        while True:
            key = await queue.get()
            try:
                await handle(key)
            finally:
                queue.done(key)
            # Thousands that need nothing are looked at without a wait: the Lease must be renewed.
            await asyncio.sleep(0)

    await all_or_none({f"worker {number}": worker() for number in range(workers)})
