"""What the workers of one pod know of each other: a page of memory that all of them share.

Each worker says several times a second that its event loop turns, and what it is good for. The
process that forked them ends whoever is silent; a worker stops taking connections when the others
do better, and a probe that it answers speaks for all.
"""

from __future__ import annotations

import mmap
import struct
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

BEAT_SECONDS = 0.5
"""Seconds between two signs of life."""
FRESH_SECONDS = 5.0
"""Seconds for which a worker is counted on after its last one."""
SLOT = struct.Struct("=dq")


class State(IntEnum):
    """What a worker is good for."""

    ABSENT = 0
    STARTING = 1
    READY = 2
    STUCK = 3
    """All its threads are in predictions that nobody waits for any more."""
    LOST = 4
    """They have been for so long that only a new process will help."""


@dataclass(frozen=True)
class Seen:
    """A worker as the others see it."""

    state: State
    beat: float
    """When it last reported it, by the monotonic clock."""


def silent(workers: Sequence[Seen], now: float, seconds: float) -> list[int]:
    """The places of those who have given no sign of life for so many seconds."""
    return [
        place
        for place, each in enumerate(workers)
        if each.state is not State.ABSENT and now - each.beat > seconds
    ]


def can_answer(workers: Iterable[Seen], now: float) -> bool:
    """Whether one of them answers requests."""
    return any(each.state is State.READY and now - each.beat < FRESH_SECONDS for each in workers)


def takes_connections(own: State, others: Iterable[Seen], now: float) -> bool:
    """Whether a worker is of use at the port: probes must be answered when nobody else can."""
    return own in (State.STARTING, State.READY) or not can_answer(others, now)


def is_live(own: State, others: Iterable[Seen]) -> bool:
    """False when all are lost."""
    return own is not State.LOST or any(
        each.state not in (State.ABSENT, State.LOST) for each in others
    )


class Board:
    """A slot for each worker, which only that worker writes while it is there, and one for who
    stands in for them until one is ready."""

    def __init__(self, workers: int) -> None:
        self.stand_in = workers
        """The place behind the workers'."""
        self._places = workers + 1
        self._memory = mmap.mmap(-1, self._places * SLOT.size)  # shared with whoever is forked

    def report(self, place: int, state: State) -> None:
        """Give a sign of life."""
        SLOT.pack_into(self._memory, place * SLOT.size, time.monotonic(), state)

    def seen(self) -> list[Seen]:
        """All places."""
        slots = (SLOT.unpack_from(self._memory, n * SLOT.size) for n in range(self._places))
        return [Seen(State(state), beat) for beat, state in slots]


@dataclass(frozen=True)
class Place:
    """One worker's place among the others."""

    board: Board
    number: int
    counts: Path
    """Where it leaves its metrics, beside those of the others."""

    def report(self, state: State) -> None:
        """Give a sign of life."""
        self.board.report(self.number, state)

    @property
    def has_stand_in(self) -> bool:
        """Whether somebody at the port still says that nobody is ready."""
        return self.board.seen()[self.board.stand_in].state is not State.ABSENT

    def others(self) -> list[Seen]:
        """The other workers."""
        return [each for n, each in enumerate(self.board.seen()) if n != self.number]
