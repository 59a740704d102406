"""How many pods of a slot may be away at a time: one measure, wherever some are bound to be.

A fleet on spot nodes always lacks a few. The disruption budget, the proof of a candidate and the
blame for crashes all count in the same tenth.
"""

import math

MAX_UNAVAILABLE = "10%"  # as in a PodDisruptionBudget, which rounds up, too


def max_unavailable(replicas: int) -> int:
    """Pods that may be away: a tenth, and one at least."""
    return math.ceil(replicas / 10)


def min_available(replicas: int) -> int:
    """Pods that must answer: what the disruption budget leaves, and one at least."""
    return max(replicas - max_unavailable(replicas), 1)
