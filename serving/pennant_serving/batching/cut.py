"""A request of more rows than a batch may have is predicted part by part.

The next part is put into the line when the one before is answered, so what came meanwhile has its
turn in between.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pennant_serving.batching import joining
from pennant_serving.batching.work import Work
from pennant_serving.errors import ServingError


class Cut:
    """The parts of one request."""

    def __init__(
        self,
        whole: Work,
        size: int,
        enqueue: Callable[[Work], None],
        has_one_each: Callable[[Any, int], bool],
    ) -> None:
        self._whole = whole
        self._size = size
        self._enqueue = enqueue
        self._has_one_each = has_one_each
        self._results: list[Any] = []
        self._next()

    def _next(self) -> None:
        whole, start = self._whole, len(self._results) * self._size
        end = min(start + self._size, whole.rows)
        value = joining.part(whole.value, start, end)
        part = whole.part(value, end - start, self._done)
        part.arrived = whole.arrived
        self._enqueue(part)

    def _done(self, result: Any, error: ServingError | None) -> None:
        if error is not None:
            self._whole.fail(error)
        elif not self._whole.over:
            self._add(result)

    def _add(self, result: Any) -> None:
        whole, done = self._whole, len(self._results) * self._size
        if not self._has_one_each(result, min(self._size, whole.rows - done)):
            self._enqueue(whole)  # then all at once
            return
        self._results.append(result)
        if done + self._size < whole.rows:
            self._next()
        else:
            whole.answer(joining.merge(self._results))
