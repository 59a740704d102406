"""Micro-batching: what is predicted together, when, and that nobody pays for it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_serving.batching import policy, proof
from pennant_serving.batching.batcher import Batcher
from pennant_serving.batching.line import Line
from pennant_serving.batching.policy import BatchLimits, Situation
from pennant_serving.batching.pool import Pool
from pennant_serving.batching.work import Work
from pennant_serving.errors import InvalidInput, PredictFailed, TimedOut, Unavailable
from pennant_serving.rows import Rows
from pennant_testing.running.generated_examples import examples
from pennant_testing.serving.app_builders import Echo, model
from pennant_testing.serving.joined_requests import SummingAdapter, ask

pytestmark = pytest.mark.unit

LONG = 60.0
"""Seconds that what is held takes unless it is let go: far more than any test."""


async def until(so: Callable[[], object]) -> None:
    async with asyncio.timeout(LONG / 2):
        while not so():  # noqa: ASYNC110 - nothing tells when it is
            await asyncio.sleep(0.005)


class Recorder(Echo):
    """Echoes, and remembers the batches it was given."""

    def __init__(self, hold: threading.Event | None = None) -> None:
        self.batches: list[Rows] = []
        self._hold = hold

    def predict(self, rows):
        self.batches.append(rows)
        if self._hold is not None:
            self._hold.wait(LONG)
        return super().predict(rows)


def test_requests_that_wait_together_are_predicted_together():
    adapter = Recorder()
    assert ask(model(adapter), Rows(["a"]), Rows(["b", "c"])) == [["a"], ["b", "c"]]
    assert [list(batch) for batch in adapter.batches] == [["a", "b", "c"]]


def test_no_batch_has_more_rows_than_it_may_and_one_switches_it_off():
    for most, sizes in ((2, [2, 1]), (1, [1, 1, 1])):
        adapter = Recorder()
        ask(model(adapter, max_rows=most), Rows(["a"]), Rows(["b"]), Rows(["c"]))
        assert sorted(map(len, adapter.batches), reverse=True) == sizes


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Rows(["a"]), Rows([1])),
        (Rows([1]), Rows([1.5])),
        (Rows([1]), Rows([True])),
        (Rows([1]), Rows([2**63])),
        (Rows([[1.0]]), Rows([[1.0, 2.0]])),
        (Rows([[1.0]], ("a",)), Rows([[1.0]], ("b",))),
        (Rows([[None]]), Rows([[1.0]])),
        (Rows([{"a": 1}]), Rows([{"a": 1}])),
        (Rows(np.ones((1, 2))), Rows(np.ones((1, 2), dtype="float32"))),
    ],
    ids=[
        "a text, a number",
        "an integer, a float",
        "an integer, a truth",
        "an integer, a larger one",
        "one column, two columns",
        "column a, column b",
        "nothing, a number",
        "two objects",
        "float64, float32",
    ],
)
def test_requests_that_would_change_each_others_types_never_share_a_batch(one, other):
    adapter = Recorder()
    ask(model(adapter), one, other)
    assert len(adapter.batches) == 2


def test_who_makes_the_model_raise_does_not_cost_the_others_their_answer():
    good, boom, bad = ask(model(), Rows(["a"]), Rows(["boom"]), Rows(["bad"]))
    assert good == ["a"]
    assert isinstance(boom, PredictFailed)
    assert isinstance(bad, InvalidInput)


class Summary(Echo):
    def predict(self, rows):
        return [len(list(rows))]


def test_a_model_that_does_not_answer_each_row_is_asked_request_by_request():
    served = model(Summary())
    assert ask(served, Rows(["a", "b"]), Rows(["c"])) == [[2], [1]]
    assert not served.batcher.joins


def test_a_request_of_many_rows_is_cut_and_the_others_go_in_between():
    adapter = SummingAdapter()
    large, small = np.arange(20.0).reshape(10, 2), [[1.0, 2.0]]
    # In one thread: of two, the one that began first need not be the first to come here.
    served = model(adapter, pool=Pool(threads=1), max_rows=4)
    answers = ask(served, Rows(large), Rows(small))
    assert answers[0].tolist() == large.sum(axis=1).tolist()
    assert (answers[1].tolist(), adapter.sizes) == ([3.0], [4, 1, 4, 2])


def test_a_line_that_is_full_refuses_at_once(monkeypatch):
    monkeypatch.setattr(policy, "WAITING_REQUEST_LIMIT", 1)
    first, second = ask(model(max_rows=1), Rows(["a"]), Rows(["b"]))
    assert first == ["a"]
    assert isinstance(second, Unavailable)


def test_a_request_whose_client_is_gone_is_dropped_from_the_line():
    async def leave():
        release = threading.Event()
        adapter = Recorder(release)
        served = model(adapter, pool=Pool(threads=1))
        first = asyncio.create_task(served.predict(Rows(["a"])))
        await until(lambda: adapter.batches)
        gone = asyncio.create_task(served.predict(Rows(["b"])))
        stays = asyncio.create_task(served.predict(Rows([1])))
        await asyncio.sleep(0)  # now both wait for the only thread
        gone.cancel()
        await asyncio.wait({gone})
        release.set()
        assert (await first, await stays) == (["a"], [1])
        return [list(batch) for batch in adapter.batches]

    assert asyncio.run(leave()) == [["a"], [1]]


def test_a_prediction_that_does_not_end_is_a_time_out_and_takes_its_thread_with_it():
    async def hang():
        release = threading.Event()
        served = model(Recorder(release), pool=Pool(threads=1), timeout=0.1)
        try:
            with pytest.raises(TimedOut, match=r"0\.1 s"):
                await served.predict(Rows(["a"]))
            # The prediction began a little later than the request came.
            await until(lambda: served.stuck)
            with pytest.raises(TimedOut):
                await served.predict(Rows(["b"]))
        finally:
            release.set()
        assert await answer(served, Rows(["c"])) == ["c"]
        assert not served.stuck

    async def answer(served, rows):
        """At last: a busy machine may take longer than the time-out to go on."""
        async with asyncio.timeout(LONG / 2):
            while True:
                with contextlib.suppress(TimedOut):
                    return await served.predict(rows)

    asyncio.run(hang())


def test_a_slow_batch_does_not_hold_up_the_next_one():
    async def overtake():
        hold = threading.Event()

        class Slow(Echo):
            def predict(self, rows):
                if "slow" in rows.values:
                    hold.wait(LONG)
                return super().predict(rows)

        served = model(Slow())
        slow = asyncio.create_task(served.predict(Rows(["slow"])))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert await served.predict(Rows(["quick"])) == ["quick"]
        assert not slow.done()
        hold.set()
        assert await slow == ["slow"]

    asyncio.run(overtake())


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        (Situation(rows=1, waited=0, running=0, youngest=0), 0.0),
        (Situation(rows=1, waited=0, running=1, youngest=0.002), policy.LONG_BATCH_SECONDS - 0.002),
        (Situation(rows=1, waited=0, running=1, youngest=1), 0.0),
        (Situation(rows=9, waited=0, running=1, youngest=0), 0.0),
        (Situation(rows=9, waited=9, running=4, youngest=9), None),
    ],
)
def test_a_batch_starts_when_nothing_runs_or_what_runs_takes_long(situation, expected):
    assert policy.pause(situation, BatchLimits(max_rows=9), 4, joins=True) == pytest.approx(
        expected
    )


def test_an_idle_server_waits_only_as_long_as_it_was_told():
    limits, new = BatchLimits(max_delay=0.5), Situation(rows=1, waited=0.1, running=0, youngest=0)
    assert policy.pause(new, limits, 4, joins=True) == pytest.approx(0.4)
    assert policy.pause(new, limits, 4, joins=False) == 0


def test_kinds_take_turns():
    line = Line()
    for kind in "aaab":
        line.add(Work(kind, 1, kind, print))
    taken = [line.take(line.kinds()[0], 2) for _ in range(3)]
    assert [[work.value for work in batch] for batch in taken] == [["a", "a"], ["b"], ["a"]]
    assert (line.requests, line.rows) == (0, 0)


class Centered(Echo):
    def predict(self, rows):
        return np.asarray(rows.values) - np.mean(rows.values)


@pytest.mark.parametrize(
    ("adapter", "expected"), [(Echo(), True), (Summary(), False), (Centered(), False)]
)
def test_a_model_proves_at_the_start_that_a_row_does_not_depend_on_its_neighbours(
    adapter, expected
):
    served = model(adapter)
    asyncio.run(served.batcher.prove(Rows([1.0, 5.0])))
    assert served.batcher.joins is expected


VALUES = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.booleans(), st.text(max_size=3)
)
MATRICES = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.lists(VALUES, min_size=width, max_size=width), min_size=1, max_size=4)
)


class Typed:
    """Answers each row with the types that NumPy made of it: batch mates must not change them."""

    joins = True
    input_example = None

    def predict(self, rows):
        array = np.asarray(rows.values, dtype=None)
        kind = "text" if array.dtype.kind == "U" else str(array.dtype)
        return [(kind, row) for row in array.tolist()]


@examples(150)
@given(st.lists(MATRICES, min_size=1, max_size=6), st.sampled_from([2, 3, 1024]))
def test_answers_are_the_same_together_as_one_by_one(requests, most):
    rows = [Rows(values) for values in requests]
    served = Batcher(Typed(), POOL, BatchLimits(max_rows=most))
    assert ask(served, *rows) == ask(served, *rows, together=False)


POOL = Pool()
FLOATS = st.floats(-1e6, 1e6)


@given(
    st.lists(st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=9), min_size=1, max_size=9),
    st.sampled_from([2, 5, 1024]),
)
def test_arrays_are_answered_the_same_together_and_in_parts(requests, most):
    rows = [Rows([list(row) for row in values]) for values in requests]
    together = ask(Batcher(SummingAdapter(), POOL, BatchLimits(max_rows=most)), *rows)
    assert all(
        proof.same(answer, SummingAdapter().predict(alone))
        for answer, alone in zip(together, rows, strict=True)
    )
