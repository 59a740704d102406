"""What waits, and what makes an array, runs beside the event loop."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

from pennant_serving.adapters.base import ArraySpec
from pennant_serving.batching.speed import SHORT_CLOCK_SECONDS
from pennant_serving.rows import Rows
from pennant_testing.serving.app_builders import model
from pennant_testing.serving.fitted_adapters import CountingAdapter, X, native
from pennant_testing.serving.joined_requests import ask
from pennant_testing.serving.odd_estimators import Waits

pytestmark = [
    pytest.mark.unit,
    # As the adapters do in their process, where no test resets the filters.
    pytest.mark.filterwarnings("ignore:X does not have valid feature names"),
]


def test_an_estimator_that_waits_never_runs_in_the_event_loop():
    threads = set()

    class Watched(Waits):
        def predict(self, x):
            threads.add(threading.current_thread() is threading.main_thread())
            return super().predict(x)

    served = model(native(Watched(0.0)))
    asyncio.run(served.batcher.prove(Rows(X[:2])))
    ask(served, Rows(X[:2]))
    assert threads == {False}


def test_an_adapter_that_says_that_it_waits_for_nothing_is_measured_by_the_clock():
    class Liar(Waits):
        steady = joins = True
        input_example = None

        def predict(self, rows):
            return super().predict(rows.values)

    served = model(Liar(1.5 * SHORT_CLOCK_SECONDS))
    asyncio.run(served.batcher.prove(Rows(X[:1])))
    assert served.batcher.runner.speed.largest == 0


def test_what_makes_an_array_of_rows_waits_beside_the_loop_too():
    threads = set()

    class Slow(CountingAdapter):
        array_spec = ArraySpec("float64", 2)

        def to_array(self, rows):
            threads.add(threading.current_thread() is threading.main_thread())
            return np.asarray(rows.values)

        def predict_array(self, array):
            return array[:, 0]

    assert ask(model(Slow()), Rows([[1.0, 2.0]]))[0].tolist() == [1.0]
    assert threads == {False}
