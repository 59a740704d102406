"""One request's input on its way through the batcher."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from pennant_serving.errors import ServingError

Done = Callable[[Any, ServingError | None], None]
"""Called once in the event loop, with the result or with the error."""


class Work:
    """What to predict, and whom to tell."""

    __slots__ = ("arrived", "done", "kind", "over", "protocol", "rows", "value")

    def __init__(
        self, value: Any, rows: int, kind: Hashable, done: Done, protocol: str = "own"
    ) -> None:
        self.value = value
        self.rows = rows
        self.kind = kind
        """Inputs of the same kind may be joined; None is like no other."""
        self.done = done
        self.protocol = protocol
        self.arrived = 0.0
        self.over = False
        """Answered, or nobody waits for it any more."""

    def part(self, value: Any, rows: int, done: Done) -> Work:
        """Work for some of its rows."""
        return Work(value, rows, self.kind, done, self.protocol)

    def answer(self, result: Any) -> None:
        """Tell the result, unless it is too late."""
        self.end()(result, None)

    def fail(self, error: ServingError) -> None:
        """Tell what went wrong, unless it is too late."""
        self.end()(None, error)

    def end(self) -> Done:
        """Nobody waits for it any more; whoever did is returned."""
        done, self.done, self.over = self.done, _nobody, True
        return done


class Aside(Work):
    """A function to call in one of the model's threads, in turn with the predictions."""

    __slots__ = ()

    def __init__(self, function: Callable[[], Any], done: Done) -> None:
        super().__init__(function, 1, None, done)


def _nobody(_result: Any, _error: ServingError | None) -> None:
    """In the place of what was called: who refers to the work would stay in memory with it, and its
    rows, until the next garbage collection."""
