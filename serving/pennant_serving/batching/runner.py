"""Predicts batches, in the event loop or in threads, and hands out the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from pennant_serving.adapters.base import Adapter
from pennant_serving.batching import joining
from pennant_serving.batching.joining import Ambiguous, NotOneEach
from pennant_serving.batching.policy import AUTO, ROWS
from pennant_serving.batching.pool import Pool
from pennant_serving.batching.running import Batch, Outcome, Running, attempt, attempt_each
from pennant_serving.batching.speed import Speed
from pennant_serving.batching.work import Work
from pennant_serving.errors import from_model
from pennant_serving.rows import Prepared, Rows


class Observer:
    """Called for each batch. This one does nothing; telemetry's counts."""

    def waited(self, work: Work, seconds: float) -> None:
        """A request left the line after so long."""

    def predicted(self, works: Sequence[Work], rows: int, seconds: float) -> None:
        """The model was asked for so many rows, those of these requests, and took so long."""


class Runner:
    """Asks the model."""

    def __init__(
        self,
        adapter: Adapter,
        pool: Pool,
        observer: Observer,
        ended: Callable[[], None],
        mode: str = AUTO,
    ) -> None:
        self.joins, self.because = _whether(adapter, mode)
        """Whether requests may be predicted together, False once that was seen not to work; and
        why."""
        self.lists: bool = mode == ROWS or not getattr(adapter, "answers_arrays", False)
        """Whether a list may hold one answer for each row."""
        self.steady: bool = getattr(adapter, "steady", False)
        self.speed = Speed(steady=self.steady)
        self.running = Running()
        self._adapter: Any = adapter
        self._pool = pool
        self._observer = observer
        self._on_end = ended

    def predict(self, value: Any) -> Any:
        """What the adapter says, or raises."""
        if isinstance(value, (Rows, Prepared)):
            return self._adapter.predict(value)
        return self._adapter.predict_array(value)

    def here(self, works: Sequence[Work]) -> None:
        """Predict at once, in the event loop."""
        batch = self._begin(works)
        self._ended(batch, attempt(self.predict, batch.value))

    def in_thread(self, works: Sequence[Work]) -> None:
        """Predict beside the event loop."""
        batch = self._begin(works)
        self._beside(batch, self._ended, attempt, self.predict, batch.value)

    def aside(self, work: Work) -> None:
        """Call a function beside the event loop. It is no prediction, so nobody observes it."""
        batch = Batch([work])
        self._beside(batch, self._hand_out, attempt, _call, lambda: work.value)

    def _begin(self, works: Sequence[Work]) -> Batch:
        batch = Batch(works)
        for work in works:
            self._observer.waited(work, batch.started - work.arrived)
        return batch

    def _beside(
        self,
        batch: Batch,
        then: Callable[[Batch, Any], None],
        function: Callable[..., Any],
        *arguments: Any,
    ) -> None:
        def ended(future: asyncio.Future[Any]) -> None:
            self.running.remove(batch)
            if not future.cancelled():
                then(batch, future.result())
            self._on_end()

        self.running.add(batch)
        self._pool.start(function, *arguments).add_done_callback(ended)

    def _ended(self, batch: Batch, outcome: Outcome) -> None:
        rows = batch.rows
        self._observer.predicted(batch.works, rows, outcome.seconds)
        if outcome.error is None:
            self.speed.measured(rows, outcome.effort, outcome.seconds)
        if outcome.error is None or len(batch.works) == 1:
            self._hand_out(batch, outcome)
        else:
            self._one_by_one(batch)

    def _hand_out(self, batch: Batch, outcome: Outcome) -> None:
        if outcome.error is not None:
            batch.works[0].fail(from_model(outcome.error))
            return
        try:
            sizes = [work.rows for work in batch.works]
            parts = joining.split(outcome.result, sizes, lists=self.lists)
        except NotOneEach as problem:
            self._not_one_each(problem)
            self._one_by_one(batch)
            return
        for work, part in zip(batch.works, parts, strict=True):
            work.answer(part)

    def has_one_each(self, result: Any, rows: int) -> bool:
        """Whether a result has one entry for each row; if not, it has consequences."""
        try:
            joining.check(result, rows, lists=self.lists)
        except NotOneEach as problem:
            self._not_one_each(problem)
            return False
        return True

    def stop_joining(self, because: str) -> None:
        """Predict request by request from now on."""
        self.joins, self.because = False, because

    def _not_one_each(self, problem: NotOneEach) -> None:
        if self.joins and not isinstance(problem, Ambiguous):  # with more rows it will be clear
            print(f"requests are no longer predicted together: {problem}", flush=True)
            self.stop_joining(str(problem))

    def _one_by_one(self, batch: Batch) -> None:
        """Whose rows make the model raise must not cost the others their answer."""
        retry = Batch(batch.works)
        self._beside(retry, self._each_ended, attempt_each, self.predict, retry.works)

    def _each_ended(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        for work, outcome in zip(batch.works, outcomes, strict=True):
            self._observer.predicted([work], work.rows, outcome.seconds)
            self._hand_out(Batch([work]), outcome)


def _whether(adapter: Adapter, mode: str) -> tuple[bool, str]:
    """Whether requests may be predicted together, and why."""
    because = getattr(adapter, "joins_because", "")
    if getattr(adapter, "never_joins", False):
        return False, because
    if mode == ROWS:
        return True, "as serving.batching.mode says"
    joins = getattr(adapter, "joins", False)
    return joins, because or (
        "as the adapter says" if joins else "nobody says that they may be joined"
    )


def _call(function: Callable[[], Any]) -> Any:
    return function()
