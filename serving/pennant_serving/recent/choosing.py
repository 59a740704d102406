"""Which of many requests stand for all of them. Pure.

Each kind gets an equal share, where it has so many, so that a rare one is not missed beside
thousands of another. Within a kind one request is drawn from each of as many stretches of time as
it may have samples: newest requests of one client, or every third of a period, cannot fill them.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import TypeVar

K = TypeVar("K")


def shares(counts: Mapping[K, int], wanted: int) -> dict[K, int]:
    """How many of each kind; what a rare one does not use goes to the others."""
    given: dict[K, int] = {}
    left = wanted
    for place, kind in enumerate(sorted(counts, key=lambda each: counts[each])):
        given[kind] = min(counts[kind], left // (len(counts) - place))
        left -= given[kind]
    return given


def one_of_each_stretch(count: int, stretches: int, random: Random) -> list[int]:
    """Places among `count` in order, one from each stretch; all where there are no more."""
    if stretches >= count:
        return [*range(count)]
    edges = [stretch * count // stretches for stretch in range(stretches + 1)]
    return [random.randrange(edges[n], edges[n + 1]) for n in range(stretches)]
