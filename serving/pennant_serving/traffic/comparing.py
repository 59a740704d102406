"""How far the answers of two versions to one request are apart. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pennant_serving.rehearsal.answers import Outputs, are_equal, is_number, outputs_in

FARTHEST = 2.0


@dataclass(frozen=True)
class Comparison:
    """Of one pair of answers."""

    agrees: bool
    """Labels are equal, and numbers within a thousandth."""
    distance: float | None
    """Between numbers at the same places, by the larger of the two: 0 is none, and 2 the most. The
    mean; None where there are no such numbers."""


def compared(protocol: str, own: tuple[bytes, int], theirs: tuple[bytes, int]) -> Comparison:
    """Two bodies, each with how many of its bytes are JSON where its head says so, else -1. What
    cannot be read is the same only byte for byte."""
    before, now = (outputs_in(protocol, *each) for each in (own, theirs))
    if before is None or now is None:
        return Comparison(own == theirs, None)
    return Comparison(are_equal(before, now), distance(before, now))


def distance(before: Outputs, now: Outputs) -> float | None:
    """The mean over all numbers that both have."""
    apart = [
        _apart(one, other)
        for name, output in before.items()
        if name in now and len(output.values) == len(now[name].values)
        for one, other in zip(output.values, now[name].values, strict=True)
        if is_number(one) and is_number(other)
    ]
    return math.fsum(apart) / len(apart) if apart else None


def _apart(one: Any, other: Any) -> float:
    if one == other or (one != one and other != other):  # noqa: PLR0124 - NaN
        return 0.0
    try:
        between = abs(one - other) / max(abs(one), abs(other))
    except (OverflowError, ZeroDivisionError):  # beyond all floats; of nothing to NaN
        return FARTHEST
    return between if between <= FARTHEST else FARTHEST  # of infinities, and to NaN
