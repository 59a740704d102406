"""What waits to be predicted: first in, first out within a kind, kinds in turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from itertools import islice

from pennant_serving.batching.work import Work


class Line:
    """A queue for each kind of input, counted in requests and rows."""

    def __init__(self) -> None:
        self._queues: dict[Hashable, deque[Work]] = {}
        self.requests = 0
        self.rows = 0

    def add(self, work: Work) -> None:
        """Behind the others of its kind."""
        kind = work if work.kind is None else work.kind
        queue = self._queues.get(kind)
        if queue is None:
            queue = self._queues[kind] = deque()
        queue.append(work)
        self.requests += 1
        self.rows += work.rows

    def kinds(self) -> list[Hashable]:
        """The kinds that wait, whose turn is next first."""
        return list(self._queues)

    def has(self, kind: Hashable) -> bool:
        """Whether any of a kind wait."""
        return kind in self._queues

    def head(self, kind: Hashable, most: int) -> tuple[int, int, float]:
        """The rows that wait, up to about `most`; those of them that `take` would take; and when
        the first came."""
        queue = self._queues[kind]
        waiting = taken = queue[0].rows
        for work in islice(queue, 1, None):
            if waiting >= most:
                break
            waiting += work.rows
            taken = waiting if waiting <= most else taken
        return waiting, taken, queue[0].arrived

    def take(self, kind: Hashable, most: int) -> list[Work]:
        """The next batch of a kind: at least one, more while they are not above `most` rows."""
        queue, rows = self._queues.pop(kind), 0
        taken: list[Work] = []
        while queue and (not taken or rows + queue[0].rows <= most):
            work = queue.popleft()
            taken.append(work)
            rows += work.rows
        if queue:
            self._queues[kind] = queue  # at the end: it is the others' turn now
        self.requests -= len(taken)
        self.rows -= rows
        return taken

    def forget(self, work: Work) -> bool:
        """Drop what nobody waits for any more; False when it is not in the line."""
        kind = work if work.kind is None else work.kind
        queue = self._queues.get(kind)
        if queue is None or work not in queue:
            return False
        queue.remove(work)
        if not queue:
            del self._queues[kind]
        self.requests -= 1
        self.rows -= work.rows
        return True

    def older_than(self, moment: float) -> Iterator[Work]:
        """Those that came before a moment."""
        for queue in list(self._queues.values()):
            for work in list(queue):
                if work.arrived >= moment:
                    break
                yield work
