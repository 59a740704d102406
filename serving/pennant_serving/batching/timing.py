"""How long single requests waited and were predicted, for those who want to know of some.

A tracer does, and only of its samples, and who remembers requests for a rehearsal: for others the
line and the runner carry what they always carry, and an `Observer` that stands before the usual one
picks out those.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from pennant_serving.batching.runner import Observer
from pennant_serving.batching.work import Done, Work


@dataclass(slots=True)
class Times:
    """Of one request; all its parts together when it was cut."""

    queue: float | None = None
    """Seconds to the beginning of its first prediction; None until then."""
    predict: float = 0.0
    """Seconds that the model took for the batches that it was in."""
    rows: int = 0
    """Of the largest of these batches."""
    own_rows: int = 0
    """Of them, those of the request."""


wanted: ContextVar[Times | None] = ContextVar("times", default=None)
"""Where to note the times of the request that is being answered."""


class TimedWork(Work):
    """Work of a request whose times are wanted."""

    __slots__ = ("times",)
    times: Times

    def part(self, value: Any, rows: int, done: Done) -> Work:
        """Counts for the same request."""
        part = TimedWork(value, rows, self.kind, done, self.protocol)
        part.times = self.times
        return part


def timed(work: Work) -> Work:
    """The same work, with its times noted if somebody wants them."""
    times = wanted.get()
    return work if times is None else with_times(work, times)


def with_times(work: Work, times: Times) -> Work:
    """The same work, with its times noted there."""
    timed_work = TimedWork(work.value, work.rows, work.kind, work.done, work.protocol)
    timed_work.times = times
    times.own_rows += work.rows
    return timed_work


class Timing(Observer):
    """Hands on everything, and notes the times that are wanted."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def waited(self, work: Work, seconds: float) -> None:
        self._observer.waited(work, seconds)
        if isinstance(work, TimedWork) and work.times.queue is None:
            work.times.queue = seconds

    def predicted(self, works: Sequence[Work], rows: int, seconds: float) -> None:
        self._observer.predicted(works, rows, seconds)
        for work in works:
            if isinstance(work, TimedWork):
                work.times.predict += seconds
                work.times.rows = max(work.times.rows, rows)
