"""The percentile of every bench."""

import math
from collections.abc import Iterable


def percentile(values: Iterable[float], share: float) -> float:
    """By nearest rank: the least value that this share of all are not above. `share`: 0 to 1."""
    ordered = sorted(values)
    return ordered[max(1, math.ceil(share * len(ordered))) - 1]
