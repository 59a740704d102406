"""Requests and answers of many values are worked through beside the event loop, others in it."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pennant_serving.batching import joining, weight
from pennant_serving.batching.weight import ELEMENTS_PER_VALUE, MOMENT_VALUES, of_body, of_value
from pennant_serving.codecs import invocations, v2
from pennant_serving.fast.answers import Encoder
from pennant_serving.fast.exchange import Exchange
from pennant_serving.fast.lane import FastLane
from pennant_serving.fast.requests import Asked
from pennant_serving.http.endpoints import v2 as endpoint
from pennant_serving.metrics.telemetry import Telemetry
from pennant_serving.rows import Rows
from pennant_testing.serving.adapters.array_adapter import ArrayAdapter
from pennant_testing.serving.app_builders import Echo, client, model

pytestmark = pytest.mark.unit


@dataclass
class Answer:
    """What a model may make of its own."""

    values: list[float]


class Tensor:
    """As torch's."""

    dtype = "float32"

    def size(self):
        return (MOMENT_VALUES, ELEMENTS_PER_VALUE)


FEW = {
    "a number": 1,
    "rows": [[1.0] * 20] * 100,
    "an array": np.zeros((MOMENT_VALUES, ELEMENTS_PER_VALUE - 1)),
    "a text": "x" * MOMENT_VALUES,
    "outputs": {"predict": np.zeros(1000), "more": ["a"] * 1000},
    "nothing": None,
    "yes, and a time": [True, datetime(2026, 3, 1)],  # noqa: DTZ001
    "a number of numpy": np.float64(1),
}
MANY = {
    "rows": [[1.0] * 100] * 100,
    "one row": [[1.0] * MOMENT_VALUES],
    "the last row": [[1.0], [[2.0] * MOMENT_VALUES]],
    "objects": [{"a": 1, "b": [1, 2]}] * MOMENT_VALUES,
    "an array": np.zeros((MOMENT_VALUES, ELEMENTS_PER_VALUE)),
    "an array of objects": np.empty(MOMENT_VALUES, dtype=object),
    "an array of texts": np.array(["a"] * MOMENT_VALUES),
    "dates": np.zeros(MOMENT_VALUES, dtype="M8[s]"),
    "a long text": "x" * (64 * MOMENT_VALUES),
    "outputs": {"predict": ["a"] * MOMENT_VALUES, "more": ["a"]},
    "a frame": pd.DataFrame({"a": [1.0] * MOMENT_VALUES, "b": 1}),
    "a series": pd.Series(["a"] * MOMENT_VALUES),
    "arrays in a list": [np.zeros((MOMENT_VALUES, ELEMENTS_PER_VALUE))],
    "an object of many": [Answer([1.0] * MOMENT_VALUES)],
    "another library's tensor": Tensor(),
}


@pytest.mark.parametrize("value", FEW.values(), ids=FEW)
def test_few_values_are_a_moments_work(value):
    assert of_value(value) <= MOMENT_VALUES


@pytest.mark.parametrize("value", MANY.values(), ids=MANY)
def test_many_values_are_more(value):
    assert of_value(value) > MOMENT_VALUES


def test_what_is_nested_deeper_than_anybody_looks_is_more():
    value: list = []
    for _ in range(100_000):
        value = [value]
    assert of_value(value) > MOMENT_VALUES
    while value:  # or freeing it would go as deep
        value = value.pop()


@pytest.mark.parametrize(
    ("body", "many"),
    [
        (b'{"instances": [[1, 2]]}', False),
        (b'{"instances": ["' + b"x" * 100_000 + b'"]}', False),
        (b'{"instances": [' + b"1," * MOMENT_VALUES + b"1]}", True),
        (b'{"instances": [' + b"[]," * MOMENT_VALUES + b"[]]}", True),
        (b"a\n" + b"1\n" * MOMENT_VALUES, True),
        (b'{"instances": ["' + b"x" * weight.COUNTED_BYTES + b'"]}', True),
    ],
    ids=["small", "a text", "numbers", "lists", "CSV", "large"],
)
def test_a_body_is_weighed_by_its_values(body, many):
    assert (of_body(body) > MOMENT_VALUES) is many


IMAGE = np.zeros((1, 64, 64, 3)).tolist()


def tensor(values):
    shape = list(np.shape(values))
    return {"inputs": [{"name": "x", "shape": shape, "datatype": "FP64", "data": values}]}


class Large(Echo):
    """Answers with many values whatever it is asked."""

    def predict(self, rows):
        return [[1.0] * MOMENT_VALUES for _ in rows]


@pytest.mark.parametrize(
    ("path", "body", "adapter", "decoded", "encoded"),
    [
        ("/invocations", {"instances": [[1.0]]}, Echo, "MainThread", "MainThread"),
        ("/invocations", {"instances": IMAGE}, Echo, "codec", "codec"),
        ("/invocations", {"instances": [[1.0]]}, Large, "MainThread", "codec"),
        ("/v2/models/iris/infer", tensor([[1.0]]), Echo, "MainThread", "MainThread"),
        ("/v2/models/iris/infer", tensor(IMAGE), Echo, "codec", "codec"),
        ("/v2/models/iris/infer", tensor([[1.0]]), Large, "MainThread", "codec"),
    ],
)
def test_bodies_and_answers_of_many_values_leave_the_event_loop(
    monkeypatch, path, body, adapter, decoded, encoded
):
    threads = {}

    def noted(module, name, step):
        real = getattr(module, name)

        def function(*arguments):
            threads[step] = threading.current_thread().name.partition("_")[0]
            return real(*arguments)

        monkeypatch.setattr(module, name, function)

    noted(invocations, "parse", "decoded")
    noted(invocations, "encode", "encoded")
    noted(v2, "decode", "decoded")
    noted(endpoint, "_response", "encoded")
    answer = client(adapter()).post(path, content=json.dumps(body).encode())
    assert answer.status_code == 200
    assert threads == {"decoded": decoded, "encoded": encoded}


class Wide(ArrayAdapter):
    """Answers a row with as many numbers as it says."""

    def predict_array(self, array):
        return np.zeros((len(array), int(array[0, 0])))


class Connection:
    """Of the fast lane's one request."""

    default_headers = ()

    def __init__(self):
        self.answered = asyncio.get_running_loop().create_future()

    def respond(self, _which: Any, _head: bytes, body: bytes):
        self.answered.set_result(body)


@pytest.mark.parametrize(
    ("width", "thread"), [(1, "MainThread"), (MOMENT_VALUES * ELEMENTS_PER_VALUE, "codec")]
)
def test_a_large_answer_of_the_fast_lane_leaves_the_event_loop(monkeypatch, width, thread):
    threads = []
    real = Encoder.mlflow

    def encode(self, result, tag=None):
        threads.append(threading.current_thread().name.partition("_")[0])
        return real(self, result, tag)

    monkeypatch.setattr(Encoder, "mlflow", encode)

    async def asked():
        lane, connection = FastLane(Telemetry("iris", "7")), Connection()
        lane.open(model(Wide()))
        route = lane.routes[b"/invocations"]
        Exchange(connection, lane, route, Asked(np.array([[width, 0.0]])), 0.0).start()
        return json.loads(await connection.answered)

    assert asyncio.run(asked()) == {"predictions": [[0.0] * width]}
    assert threads == [thread]


class Noting(ArrayAdapter):
    """Says in which thread it makes arrays."""

    def __init__(self):
        self.thread = ""

    def to_array(self, rows):
        self.thread = threading.current_thread().name.partition("_")[0]
        return np.zeros((len(rows), 2))


@pytest.mark.parametrize(
    ("rows", "thread"),
    [
        ([[1.0, 2.0]] * 1000, "MainThread"),
        ([[1.0, 2.0]] * MOMENT_VALUES, "predict"),
        ([[1.0] * MOMENT_VALUES], "predict"),
        (np.zeros((MOMENT_VALUES, 2)), "MainThread"),
    ],
    ids=["few rows", "many rows", "a large row", "an array"],
)
def test_rows_of_many_values_become_an_array_beside_the_event_loop(rows, thread):
    adapter = Noting()
    asyncio.run(model(adapter).predict(Rows(rows)))
    assert adapter.thread == thread


def test_rows_of_many_values_are_not_looked_through_for_others_of_their_kind(monkeypatch):
    looked_at = []
    monkeypatch.setattr(joining, "_types", lambda value, depth=0: looked_at.append(value))
    served = model(Echo())
    asyncio.run(served.predict(Rows([[1.0] * MOMENT_VALUES])))
    assert not looked_at
    asyncio.run(served.predict(Rows([[1.0]])))
    assert looked_at
