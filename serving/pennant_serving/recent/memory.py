"""The samples of one process, within a bound of memory."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable
from random import Random

from pennant_serving.recent.choosing import one_of_each_stretch, shares
from pennant_serving.recent.sample import Kind, Sample

ROOM_BYTES = 4 * 1024 * 1024
"""Of all workers of a pod together. The allocator's gaps between large bodies come on top, half as
much again where it was measured: the promise is 8 MiB."""
KINDS_LIMIT = 64
AGE_LIMIT_SECONDS = 24 * 3600.0
"""What was asked before that, nobody may ask any more."""


class Recent:
    """The newest requests of each kind. Where room is short, the kind that has the most gives it:
    many requests of one kind do not drive out the few of another."""

    def __init__(self, room: int = ROOM_BYTES, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.instance = secrets.token_hex(8)
        self.answered = 0
        """Requests that could have been samples."""
        self._room = room
        self._lines: dict[Kind, deque[tuple[Sample, int]]] = {}
        """Each with its size."""
        self._sizes: dict[Kind, int] = {}
        self.size = 0
        """Bytes that all of them take of the memory."""

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def add(self, sample: Sample) -> None:
        """The newest; what has no room any more is dropped."""
        self.answered += 1
        kind = sample.kind
        line = self._lines.get(kind)
        if line is None:
            if len(self._lines) >= KINDS_LIMIT:
                return
            line = self._lines[kind] = deque()
            self._sizes[kind] = 0
        size = sample.size
        line.append((sample, size))
        self._count(kind, size)
        while self.size > self._room:
            self._drop_first(max(self._sizes, key=self._sizes.__getitem__))

    def choose(self, wanted: int, random: Random) -> list[Sample]:
        """So many of those that are not too old, or fewer, in no order."""
        oldest = self.now() - AGE_LIMIT_SECONDS
        for kind, line in self._lines.items():
            while line and line[0][0].at < oldest:
                self._drop_first(kind)
        given = shares({kind: len(line) for kind, line in self._lines.items()}, wanted)
        chosen = [
            line[place][0]
            for kind, line in self._lines.items()
            for place in one_of_each_stretch(len(line), given[kind], random)
        ]
        random.shuffle(chosen)
        return chosen

    def _drop_first(self, kind: Kind) -> None:
        self._count(kind, -self._lines[kind].popleft()[1])

    def _count(self, kind: Kind, size: int) -> None:
        self._sizes[kind] += size
        self.size += size
