"""How long what failed waits before it is tried again: ever longer."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

FIRST_RETRY_SECONDS = 1.0  # until what failed once is tried again; doubles with each failure
RETRY_CAP_SECONDS = 300.0  # at most, until what failed is tried again, but for the spread


@dataclass
class Backoff:
    """Exponential per key: 1 s, 2 s, 4 s ... 5 min, each longer or shorter by up to a fifth.

    `random` gives a number from 0 to 1; the spread keeps keys that failed together from returning
    together. Without it there is none.
    """

    random: Callable[[], float] = lambda: 0.5
    first_seconds: float = FIRST_RETRY_SECONDS
    factor: float = 2.0
    cap_seconds: float = RETRY_CAP_SECONDS
    spread: float = 0.2
    _failures: dict[Hashable, int] = field(default_factory=dict)

    def next(self, key: Hashable) -> float:
        """Seconds to wait after one more failure of this key."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        # The exponent is bounded before the power is: floats overflow after a thousand failures.
        delay = min(self.cap_seconds, self.first_seconds * self.factor ** min(failures, 64))
        return delay * (1 + self.spread * (2 * self.random() - 1))

    def failures(self, key: Hashable) -> int:
        """How often in a row this key failed."""
        return self._failures.get(key, 0)

    def forget(self, key: Hashable) -> None:
        """The key succeeded: its next failure is its first again."""
        self._failures.pop(key, None)
