"""What goes, so that the cache stays within its bound: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LATELY_SECONDS = 3600.0
"""So long after its last use an entry stays: between the end of `fetch`, which links it, and the
start of `serve`, which has it in use from then on, nobody holds it."""


@dataclass(frozen=True)
class Stored:
    """An entry, or uv's folder."""

    path: Path
    bytes: int
    used: float
    """When it was used last, in seconds of the volume's clock."""
    in_use: bool = False
    spare: bool = False
    """It only saves downloads, and no pod runs from it: it goes first, however lately used."""


@dataclass(frozen=True)
class Room:
    """What goes, and whether what is to come fits then."""

    evicted: tuple[Stored, ...]
    fits: bool


def lately(used: float, now: float) -> bool:
    """Whether somebody may be about to load it; a clock that is ahead makes it so, too."""
    return now - used < LATELY_SECONDS


def room_for(need: int, stored: Iterable[Stored], bound: int, now: float) -> Room:
    """Room for so many bytes more: what was not used for longest goes, and no more than must.

    Where they would not fit whatever went, nothing goes for their sake.
    """
    stored = tuple(stored)
    over = sum(each.bytes for each in stored) - bound
    evicted, freed = _longest_unused(stored, over + need, now)
    if freed >= over + need:
        return Room(evicted, fits=True)
    return Room(_longest_unused(stored, over, now)[0], fits=False)


def _longest_unused(
    stored: tuple[Stored, ...], bytes_wanted: int, now: float
) -> tuple[tuple[Stored, ...], int]:
    """As many as free so many bytes, or all that may go; and the bytes."""
    may_go = (each for each in stored if not each.in_use)
    may_go = (each for each in may_go if each.spare or not lately(each.used, now))
    evicted, freed = [], 0
    for each in sorted(may_go, key=lambda each: (not each.spare, each.used, each.path)):
        if freed >= bytes_wanted:
            break
        evicted.append(each)
        freed += each.bytes
    return tuple(evicted), freed
