"""Models that a registry does not answer about in time, and when each is asked for again.

Each such question costs the poll, and so everybody else, as long as a request may take.
"""

from collections.abc import Set
from dataclasses import dataclass, field

FIRST, MOST = 10.0, 300.0  # seconds until the next question; it doubles each time


@dataclass
class Tardy:
    """By name of the model."""

    _failures: dict[str, int] = field(default_factory=dict)
    _until: dict[str, float] = field(default_factory=dict)

    def __contains__(self, model: str) -> bool:
        """Whether its last answer did not come."""
        return model in self._until

    def rests(self, model: str, now: float) -> bool:
        """Whether it is too early to ask."""
        return self._until.get(model, now) > now

    def late(self, model: str, now: float) -> None:
        """Its answer did not come, once more."""
        failures = self._failures.get(model, 0)
        self._failures[model] = min(failures + 1, 10)
        self._until[model] = now + min(MOST, FIRST * 2**failures)

    def in_time(self, model: str) -> None:
        """Its answer came."""
        self._failures.pop(model, None)
        self._until.pop(model, None)

    def forget_all_but(self, models: Set[str]) -> None:
        """Drop what nobody watches any more."""
        for model in self._until.keys() - models:
            self.in_time(model)
