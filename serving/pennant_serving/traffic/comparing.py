"""How far the answers of two versions to one request are apart. Pure."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pennant_serving.rehearsal.answers import Answered, Outputs, are_equal, is_number, outputs_in

FARTHEST = 2.0
PIECE_VALUES = 256
"""That are compared in one step, in a quarter of a millisecond."""
Body = tuple[bytes, int]
"""Of an answer, and how many of its bytes are JSON where its head says so, else -1."""


@dataclass(frozen=True)
class Comparison:
    """Of one pair of answers."""

    agrees: bool
    """Labels are equal, and numbers within a thousandth."""
    distance: float | None
    """Between numbers at the same places, by the larger of the two: 0 is none, and 2 the most. The
    mean; None where there are no such numbers."""


def steps(protocol: str, own: Body, theirs: Body) -> Generator[None, None, Comparison]:
    """Compare two bodies, step by step: one after the other they may take milliseconds. What cannot
    be read is the same only byte for byte."""
    before = outputs_in(protocol, *own)
    yield
    now = outputs_in(protocol, *theirs)
    yield
    if before is None or now is None:
        return Comparison(own == theirs, None)
    agrees, total, count = _sizes(before) == _sizes(now), 0.0, 0
    for one, other in _pieces(before, now):
        agrees = agrees and are_equal(one, other)
        apart = _distances(one, other)
        total, count = total + math.fsum(apart), count + len(apart)
        yield
    return Comparison(agrees, total / count if count else None)


def _sizes(outputs: Outputs) -> dict[str, int]:
    return {name: len(output.values) for name, output in outputs.items()}


def _pieces(before: Outputs, now: Outputs) -> Iterator[tuple[Outputs, Outputs]]:
    """The same few values of both, of outputs that both have and that are as long."""
    for name, output in before.items():
        if name in now and len(output.values) == len(now[name].values):
            for start in range(0, len(output.values), PIECE_VALUES):
                part = slice(start, start + PIECE_VALUES)
                yield _part(name, output, part), _part(name, now[name], part)


def _part(name: str, output: Answered, part: slice) -> Outputs:
    return {name: replace(output, values=output.values[part])}


def _distances(before: Outputs, now: Outputs) -> list[float]:
    return [
        _apart(one, other)
        for name, output in before.items()
        for one, other in zip(output.values, now[name].values, strict=True)
        if is_number(one) and is_number(other)
    ]


def _apart(one: Any, other: Any) -> float:
    if one == other or (one != one and other != other):  # NaN
        return 0.0
    try:
        between: float = abs(one - other) / max(abs(one), abs(other))
    except (OverflowError, ZeroDivisionError):  # beyond all floats; of nothing to NaN
        return FARTHEST
    return min(FARTHEST, between)  # also of infinities, and to NaN
