"""Batches that are being predicted, and how a prediction ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pennant_serving.batching import joining
from pennant_serving.batching.work import Work

clock = time.perf_counter


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one call of the model."""

    result: Any
    error: BaseException | None
    seconds: float
    effort: float
    """Seconds of the thread's processor time, which a busy machine does not make longer."""


@dataclass(slots=True, eq=False)
class Batch:
    """Requests that are predicted together."""

    works: Sequence[Work]
    started: float = field(default_factory=clock)

    @property
    def rows(self) -> int:
        return sum(work.rows for work in self.works)

    def value(self) -> Any:
        """The one input that they make."""
        return joining.join([work.value for work in self.works])


def attempt(predict: Callable[[Any], Any], value: Callable[[], Any]) -> Outcome:
    """Call the model; whatever it raises is an outcome, `sys.exit()` too."""
    started, effort = clock(), time.thread_time()
    try:
        result, error = predict(value()), None
    except BaseException as raised:  # noqa: BLE001 - someone else's code must not end the server
        result, error = None, raised
    return Outcome(result, error, clock() - started, time.thread_time() - effort)


def attempt_each(predict: Callable[[Any], Any], works: Sequence[Work]) -> list[Outcome]:
    """Each on its own, because together they failed; those that nobody waits for are left out."""
    nothing = Outcome(None, None, 0.0, 0.0)
    return [nothing if work.over else attempt(predict, Batch([work]).value) for work in works]


class Running:
    """The batches in threads, and those of them that are overdue."""

    def __init__(self) -> None:
        self._batches: dict[Batch, None] = {}

    def __len__(self) -> int:
        return len(self._batches)

    def add(self, batch: Batch) -> None:
        self._batches[batch] = None

    def remove(self, batch: Batch) -> None:
        del self._batches[batch]

    def youngest(self, now: float) -> float:
        """Seconds since the latest began."""
        return now - next(reversed(self._batches)).started if self._batches else 0.0

    def older_than(self, moment: float) -> Iterator[Work]:
        """The unanswered requests in these batches that came before a moment."""
        for batch in self._batches:
            yield from (work for work in batch.works if work.arrived < moment and not work.over)
