"""What a request makes us call beside predictions goes by the rules for predictions."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from starlette.exceptions import HTTPException
from starlette.routing import Route

from pennant_serving.adapters.base import Further
from pennant_serving.batching import policy
from pennant_serving.batching.pool import Pool
from pennant_serving.errors import InvalidInput, OutOfMemory, PredictFailed, TimedOut, Unavailable
from pennant_serving.inference import in_time
from pennant_serving.rows import Rows
from pennant_testing.serving.app_builders import Echo, client, model

pytestmark = pytest.mark.unit

ROWS = Rows(["a"])
LONG = 60.0
"""Seconds that a call takes unless it is let go: far more than any test."""


class Never(Echo):
    """Predicts at once, but its params and its further outputs wait for an event."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.ended = 0
        self.further = {"more": Further(self.wait, "BYTES", (-1,))}

    def wait(self, _rows):
        released = self.release.wait(LONG)
        self.ended += 1
        return released

    def predict(self, rows, params=None):
        return [self.wait(rows)] if params else super().predict(rows)


CALLS = {
    "params": lambda served: served.predict(ROWS, params={"p": 1}),
    "further outputs": lambda served: served.outputs(ROWS, ["more"]),
    "both": lambda served: served.outputs(ROWS, ["more", "predict"], params={"p": 1}),
}


def run(scenario, *, threads=4, **limits):
    """What a scenario makes of a model whose calls end at last."""
    adapter = Never()

    async def released():
        try:
            return await scenario(model(adapter, pool=Pool(threads), **limits))
        finally:
            adapter.release.set()

    return asyncio.run(released())


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_that_does_not_end_is_a_time_out(call):
    async def scenario(served):
        with pytest.raises(TimedOut, match=r"0\.1 s"):
            await call(served)
        assert served.adapter.ended == 0

    run(scenario, timeout=0.1)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_predictions_go_on_beside_calls_that_do_not_end(call):
    async def scenario(served):
        stuck = asyncio.create_task(call(served))
        for _ in range(20):
            assert await served.predict(ROWS) == ["a"]
        assert served.adapter.ended == 0
        stuck.cancel()

    run(scenario)


def test_calls_that_never_end_take_readiness_as_predictions_do():
    async def scenario(served):
        assert not served.stuck
        with pytest.raises(TimedOut):
            await CALLS["params"](served)
        async with asyncio.timeout(LONG / 2):
            # Its thread began a little later than the request came.
            while not served.stuck:  # noqa: ASYNC110 - nothing tells when it is
                await asyncio.sleep(0.01)

    run(scenario, threads=1, timeout=0.1)


def test_calls_wait_in_the_same_line_and_are_refused_when_it_is_full(monkeypatch):
    monkeypatch.setattr(policy, "WAITING_REQUEST_LIMIT", 1)

    async def scenario(served):
        calls = [CALLS["params"](served) for _ in range(4)]
        return await asyncio.gather(*calls, return_exceptions=True)

    found = run(scenario, threads=1, timeout=0.1)
    assert {type(each) for each in found} == {TimedOut, Unavailable}


def test_all_steps_of_a_request_have_one_time_out_together():
    async def ten_steps(served):
        async with in_time(served):
            for _ in range(10):
                await served.batcher.aside(time.sleep, 0.05)

    async def scenario(served):
        with pytest.raises(TimedOut, match=r"0\.2 s"):
            await ten_steps(served)

    run(scenario, timeout=0.2)


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (ValueError("row 0"), InvalidInput),
        (KeyError("a"), PredictFailed),
        (MemoryError(), OutOfMemory),
        (SystemExit(1), PredictFailed),
    ],
    ids=repr,
)
def test_what_a_call_raises_is_told_as_of_predictions(raised, error):
    def fail():
        raise raised

    async def scenario(served):
        with pytest.raises(error):
            await served.batcher.aside(fail)

    run(scenario)


class OwnErrors(Echo):
    def routes(self):
        def absent(_request):
            raise HTTPException(404, "no such user")

        def broken(_request):
            raise KeyError("user")

        return [Route("/absent", absent), Route("/broken", broken)]


def test_the_errors_of_own_routes_stay_what_they_are():
    http = client(OwnErrors())
    assert http.get("/absent").status_code == 404
    assert http.get("/broken").json() == {"error": "KeyError: 'user'"}
