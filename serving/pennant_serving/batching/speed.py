"""Which batches are short enough to be predicted in the event loop.

A thread costs a small prediction more than it takes, and the loop can do nothing better meanwhile
than let requests gather. But what runs in the loop holds up everything, health included: so only an
adapter that says that it waits for nothing, and that its time depends on nothing but the number of
rows, may run there, and only sizes that were measured, several times in a row, and found short.
"""

from __future__ import annotations

SHORT = 0.002
"""Seconds of processor time."""
PROOFS = 3
"""Short runs of a size that make it proved, and long ones that disprove it."""


class Speed:
    """What was measured, by the number of rows rounded up to a power of two."""

    def __init__(self, *, steady: bool) -> None:
        self._steady = steady
        self._score: dict[int, int] = {}

    def proved(self, rows: int) -> bool:
        """Whether so many rows may be predicted in the loop."""
        return self._score.get((rows - 1).bit_length(), 0) >= PROOFS

    @property
    def largest(self) -> int:
        """The most rows that may be predicted in the loop; 0 when none may."""
        return max((2**size for size, score in self._score.items() if score >= PROOFS), default=0)

    def measured(self, rows: int, seconds: float) -> None:
        """Learn from one prediction. One that was long by chance does not undo a proof; three do,
        and then only as many short ones again as there were before the first proof."""
        if not self._steady:
            return
        size = (rows - 1).bit_length()
        score = self._score.get(size, 0)
        if seconds <= SHORT:
            self._score[size] = score + 1 if score < PROOFS else 2 * PROOFS - 1
        else:
            self._score[size] = max(0, score - 1) if score > PROOFS else 0
