"""Takes requests, decides what is predicted when, and sees to it that everyone is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, TypeVar

from pennant_serving.adapters.base import Adapter
from pennant_serving.batching import policy, proof, weight
from pennant_serving.batching.cut import Cut
from pennant_serving.batching.inputs import Inputs, kind_of
from pennant_serving.batching.line import Line
from pennant_serving.batching.policy import BatchLimits, Situation
from pennant_serving.batching.pool import Pool
from pennant_serving.batching.runner import Observer, Runner
from pennant_serving.batching.timing import timed
from pennant_serving.batching.work import Aside, Done, Work
from pennant_serving.errors import TimedOut, Unavailable
from pennant_serving.rows import Prepared, Rows

T = TypeVar("T")


class Batcher:
    """All predictions of one model. Its methods are for the event loop only."""

    def __init__(
        self, adapter: Adapter, pool: Pool, limits: BatchLimits, observer: Observer | None = None
    ) -> None:
        self.limits = limits
        self._inputs = Inputs(adapter)
        self.array_spec = self._inputs.array_spec
        self._pool = pool
        self._line = Line()
        self.runner = Runner(adapter, pool, observer or Observer(), self._look, limits.mode)
        self._looking = False
        self._timer: asyncio.TimerHandle | None = None

    def __str__(self) -> str:
        """How requests are predicted, in a few words."""
        largest = self.runner.speed.largest
        where = f", up to {largest} rows in the event loop" if largest else ""
        because = self.runner.because if self.limits.max_rows > 1 else "a batch has one row at most"
        how = "together" if self.joins else "one by one"
        return f"requests are predicted {how}{where}: {because}"

    async def predict(self, rows: Rows | Prepared, protocol: str = "own") -> Any:
        """The model's answer to these rows. Raises ServingError; see `Model.predict`."""
        many = weight.of_value(rows.raw) > weight.MOMENT_VALUES
        value = await self._made(rows, many=many)
        kind = kind_of(value, joins=self.joins, many=many)
        return await self._answer(lambda done: timed(Work(value, len(rows), kind, done, protocol)))

    async def aside(self, function: Callable[..., T], *arguments: Any) -> T:
        """What a function returns in one of the model's threads, for which it waits in the line.

        Raises ServingError, as predictions do: so nothing that a request makes us call goes without
        a limit to how many wait, a time-out, and being missed when it never ends.
        """
        call = partial(function, *arguments)
        result: T = await self._answer(lambda done: Aside(call, done))
        return result

    async def _answer(self, work_for: Callable[[Done], Work]) -> Any:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def done(result: Any, error: Exception | None) -> None:
            if future.done():  # cancelled in this turn of the loop
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        work = work_for(done)
        self.submit(work)
        try:
            return await future
        finally:
            self.abandon(work)

    async def prove(self, rows: Rows | Prepared) -> None:
        """Learn from the model's example what may be joined, and what may run in the loop; of no
        rows there is nothing to learn."""
        if not len(rows):
            return
        await self._pool.start(self._prove, self._inputs.value(rows), len(rows))

    def submit(self, work: Work) -> None:
        """Put into the line; `work.done` is called later. Raises Unavailable when it is full."""
        line, limits = self._line, self.limits
        if not policy.has_room(line.requests, line.rows, work.rows, limits):
            raise Unavailable(f"{line.requests} requests are waiting already")
        work.arrived = time.perf_counter()
        if work.rows > limits.max_rows and work.kind is not None and self._most > 1:
            Cut(work, limits.max_rows, self._enqueue, self.runner.has_one_each)
        else:
            self._enqueue(work)

    def abandon(self, work: Work) -> None:
        """Nobody waits for the answer any more."""
        if not work.over:
            work.end()
            self._line.forget(work)

    def stuck(self, seconds: float) -> bool:
        """All threads have been in one prediction, or call, each for longer than this."""
        return self._pool.stuck(seconds)

    @property
    def joins(self) -> bool:
        """Requests are predicted together."""
        return self.runner.joins and self.limits.max_rows > 1

    @property
    def _most(self) -> int:
        return self.limits.max_rows if self.joins else 1

    def _prove(self, value: Any, rows: int) -> None:
        runner = self.runner
        if self.joins:
            problem = proof.why_not(runner.predict, value, rows, lists=runner.lists)
            if problem:
                asked = ", though serving.batching.mode is Rows"
                runner.stop_joining(problem + (asked if self.limits.mode == policy.ROWS else ""))
        if runner.steady:
            proof.measure(runner, value, rows, self.limits.max_rows)

    async def _made(self, rows: Rows | Prepared, *, many: bool) -> Any:
        """What the model is given, made in the event loop only when that takes no time."""
        inputs = self._inputs
        is_short = self.array_spec is not None and self.runner.steady and not many
        if is_short or isinstance(rows, Prepared) or inputs.prepare is None:
            return inputs.value(rows)
        return await self.aside(inputs.value, rows)

    def _enqueue(self, work: Work) -> None:
        self._line.add(work)
        self._look_soon()

    def _look_soon(self) -> None:
        """Not at once: what else arrived in this turn of the loop comes along."""
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        """Start what may start now, and come back when more may."""
        self._looking = False
        now, pauses = time.perf_counter(), []
        for kind in self._line.kinds():
            pause = self._start(kind, now)
            if pause is not None:
                pauses.append(pause)
        if self._line.requests or len(self.runner.running):
            self._expire(now)
            self._come_back(min(pauses, default=self.limits.timeout))

    def _start(self, kind: Hashable, now: float) -> float | None:
        """Run the next batch of a kind if it may run; seconds after which to try again."""
        most, running = self._most, self.runner.running
        rows, taken, first = self._line.head(kind, most)
        is_aside = isinstance(kind, Aside)
        short = not is_aside and self.runner.speed.proved(taken)
        situation = Situation(
            rows=rows,
            waited=now - first,
            running=0 if short else len(running),
            youngest=running.youngest(now),
        )
        joins = self.joins and not is_aside
        pause = policy.pause(situation, self.limits, self._pool.threads, joins=joins)
        if pause != 0.0:
            return pause
        works = self._line.take(kind, most)
        if is_aside:
            self.runner.aside(works[0])
        else:
            run = self.runner.here if short else self.runner.in_thread
            run(works)
        return 0.0 if self._line.has(kind) else None

    def _expire(self, now: float) -> None:
        moment = now - self.limits.timeout
        for work in [*self._line.older_than(moment), *self.runner.running.older_than(moment)]:
            self._line.forget(work)
            work.fail(TimedOut(f"no answer within {self.limits.timeout:g} s"))

    def _come_back(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if seconds == 0.0:
            self._look_soon()
        else:
            soon = min(seconds, self.limits.timeout / 8)
            self._timer = asyncio.get_running_loop().call_later(soon, self._look)
