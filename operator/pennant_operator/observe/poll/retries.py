"""What a registry did not answer well, and when each is asked for again: ever later.

So that what goes wrong for one costs the others, and the server, less each time.
"""

from collections.abc import Hashable, Set
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pennant_operator.backoff import Backoff

K = TypeVar("K", bound=Hashable)
# until a model without a good answer is asked for again; doubles up to 5 minutes
FIRST_RETRY_SECONDS = 10.0


@dataclass
class Retries(Generic[K]):
    """By what was asked for."""

    _backoff: Backoff = field(default_factory=lambda: Backoff(first_seconds=FIRST_RETRY_SECONDS))
    _until: dict[K, float] = field(default_factory=dict)

    def __contains__(self, asked: K) -> bool:
        """Whether its last answer was none."""
        return asked in self._until

    def rests(self, asked: K, now: float) -> bool:
        """Whether it is too early to ask."""
        return self._until.get(asked, now) > now

    def failed(self, asked: K, now: float) -> None:
        """There was no answer, once more."""
        self._until[asked] = now + self._backoff.next(asked)

    def answered(self, asked: K) -> None:
        """There was one."""
        self._backoff.forget(asked)
        self._until.pop(asked, None)

    def forget_all_but(self, wanted: Set[K]) -> None:
        """Drop what nobody watches any more."""
        for asked in self._until.keys() - wanted:
            self.answered(asked)
