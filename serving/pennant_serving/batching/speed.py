"""Which batches are short enough to be predicted in the event loop.

A thread costs a small prediction more than it takes, and the loop can do nothing better meanwhile
than let requests gather. But what runs in the loop holds up everything, health included: so only an
adapter that says that it waits for nothing, and that its time depends on nothing but the number of
rows, may run there, and only sizes that were measured, several times in a row, and found short, by
the processor's time and by the clock.
"""

from __future__ import annotations

SHORT_CPU_SECONDS = 0.002
"""Of the processor's time."""
SHORT_CLOCK_SECONDS = 0.02
"""More by the clock, because on a busy machine others have their turn."""
WAITING_CLOCK_SECONDS = 0.1
"""By the clock, of what hardly computes: it waits for something, and will again."""
PROVING_RUNS = 3
"""Short runs in a row that prove a size."""


class Speed:
    """What was measured, by the number of rows rounded up to a power of two."""

    def __init__(self, *, steady: bool) -> None:
        self._steady = steady
        self._score: dict[int, int] = {}

    def proved(self, rows: int) -> bool:
        """Whether so many rows may be predicted in the loop."""
        return self._score.get((rows - 1).bit_length(), 0) >= PROVING_RUNS

    @property
    def largest(self) -> int:
        """The most rows that may be predicted in the loop; 0 when none may."""
        return max(
            (2**size for size, score in self._score.items() if score >= PROVING_RUNS), default=0
        )

    def forget(self, rows: int) -> None:
        """The trial of a size has failed."""
        del self._score[(rows - 1).bit_length()]

    def tried(self, rows: int, effort: float, seconds: float) -> None:
        """Learn from one prediction at the start, when nothing else runs: the seconds of processor
        time that it took, and those by the clock."""
        size = (rows - 1).bit_length()
        score = self._score.get(size, 0)
        self._score[size] = score + 1 if self._steady and _is_short(effort, seconds) else 0

    def measured(self, rows: int, effort: float, seconds: float) -> None:
        """Learn from one prediction of a request. One that was long by chance does not undo a
        proof; three do, until as many are short again, and one that waited does. What was never
        proved stays in the thread, whose own time does not tell what a library does in others."""
        size = (rows - 1).bit_length()
        score = self._score.get(size)
        if score is None:
            return
        if _is_short(effort, seconds):
            self._score[size] = min(score + 1, 2 * PROVING_RUNS)
        elif effort <= SHORT_CPU_SECONDS and seconds > WAITING_CLOCK_SECONDS:
            self._score[size] = 0
        else:
            self._score[size] = score - 1 if score > PROVING_RUNS else 0


def _is_short(effort: float, seconds: float) -> bool:
    return effort <= SHORT_CPU_SECONDS and seconds <= SHORT_CLOCK_SECONDS
