"""The fast lane answers what the general way would answer, or leaves the request to it."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_serving.adapters import tables
from pennant_serving.adapters.base import ArraySpec
from pennant_serving.codecs import invocations, v2
from pennant_serving.errors import InvalidInput
from pennant_serving.fast.answers import Encoder
from pennant_serving.fast.exchange import Exchange
from pennant_serving.fast.lane import FAST_BODY_BYTES, FastLane, is_plain
from pennant_serving.fast.requests import Asked, Decoder
from pennant_serving.metrics.telemetry import Telemetry
from pennant_serving.rows import Rows
from pennant_testing.running.generated_examples import examples
from pennant_testing.serving.adapters.array_adapter import ArrayAdapter
from pennant_testing.serving.app_builders import model
from pennant_testing.waiting import until

pytestmark = pytest.mark.unit

NAMES = ("a", "b")
SPEC = ArraySpec("float64", 2, NAMES)
DECODER = Decoder(SPEC)
CORPUS = (Path(__file__).parents[1] / "golden" / "serving_bodies.txt").read_text().splitlines()


def general(protocol: str, body: bytes) -> np.ndarray | None:
    """What the general way makes of a body; None when it refuses."""
    try:
        rows = (v2.decode(body) if protocol == "v2" else invocations.parse(body)).rows
        rows = tables.ordered(rows, NAMES, required=frozenset(NAMES))
        array = tables.array(rows.values, "float64")
    except InvalidInput:
        return None
    return array if array.ndim == 2 and array.shape[1] == 2 else None


def agrees(protocol: str, body: bytes) -> bool:
    """Whether the fast lane understood the body; fails when it understood something else."""
    asked = getattr(DECODER, protocol)(body)
    if asked is None:
        return False
    expected = general(protocol, body)
    assert expected is not None, body
    assert asked.array.dtype == expected.dtype
    assert np.array_equal(asked.array, expected, equal_nan=True), body
    assert asked.array.flags.c_contiguous
    return True


def tensor(**changes: Any) -> dict[str, Any]:
    return {"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2.5]} | changes


@pytest.mark.parametrize(
    ("protocol", "body"),
    [
        ("v2", {"inputs": [tensor()]}),
        ("v2", {"inputs": [tensor(datatype="INT32", data=[1, 2])], "id": "7"}),
        ("v2", {"inputs": [tensor(shape=[2, 2], data=[1, 2, 3, 4])]}),
        ("v2", {"inputs": [tensor()], "outputs": [{"name": "predict"}]}),
        ("mlflow", {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]]}}),
        ("mlflow", {"dataframe_records": [{"b": 1, "a": 2.5}]}),
        ("mlflow", {"instances": [[1, 2], [3, 4]]}),
        ("mlflow", {"inputs": [[1, 2]]}),
        ("mlflow", {"inputs": {"b": [1, 2], "a": [3, 4]}}),
    ],
)
def test_the_usual_forms_are_understood(protocol, body):
    assert agrees(protocol, json.dumps(body).encode())


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": [tensor(datatype="INT64")]},
        {"inputs": [tensor(data=[True, 1])]},
        {"inputs": [tensor(data=["1", "2"])]},
        {"inputs": [tensor(data=[None, 1])]},
        {"inputs": [tensor(data=[[1, 2]])]},
        {"inputs": [tensor(shape=[2])]},
        {"inputs": [tensor(shape=[1, 3], data=[1, 2, 3])]},
        {"inputs": [tensor(shape=[-1, -2])]},
        {"inputs": [tensor(), tensor()]},
        {"inputs": [tensor()], "parameters": {"content_type": "pd"}},
        {"inputs": [tensor()], "outputs": [{"name": "other"}]},
        {"inputs": [tensor()], "id": 7},
        {"inputs": []},
    ],
)
def test_everything_else_is_left_to_the_general_way(body):
    assert DECODER.v2(json.dumps(body).encode()) is None


WHOLE = Decoder(ArraySpec("int64", 2, NAMES))
LARGE = 2**53 + 1


@pytest.mark.parametrize(
    ("protocol", "body"),
    [
        ("v2", {"inputs": [tensor(datatype="INT64", data=[LARGE, 2])]}),
        ("mlflow", {"dataframe_split": {"columns": ["a", "b"], "data": [[LARGE, 2]]}}),
        ("mlflow", {"dataframe_records": [{"b": 2, "a": LARGE}]}),
        ("mlflow", {"instances": [[LARGE, 2]]}),
        ("mlflow", {"inputs": {"b": [2], "a": [LARGE]}}),
    ],
)
def test_whole_numbers_are_read_as_whole_numbers(protocol, body):
    asked = getattr(WHOLE, protocol)(json.dumps(body).encode())
    assert (asked.array.dtype, asked.array.tolist()) == ("int64", [[LARGE, 2]])


@pytest.mark.parametrize("value", [1.5, 1.0, True, None, "1", 2**63])
def test_what_is_no_whole_number_of_the_models_type_is_left_to_the_general_way(value):
    assert WHOLE.mlflow(json.dumps({"instances": [[value, 2]]}).encode()) is None
    for datatype in ("FP64", "INT64", "UINT64"):
        content = {"inputs": [tensor(datatype=datatype, data=[value, 2])]}
        assert WHOLE.v2(json.dumps(content).encode()) is None


def test_floats_that_are_narrower_than_the_models_are_left_to_the_general_way():
    narrow = json.dumps({"inputs": [tensor(datatype="FP32")]}).encode()
    assert DECODER.v2(narrow) is None
    assert Decoder(replace(SPEC, dtype="float32")).v2(narrow) is not None


def test_a_choice_of_outputs_is_left_to_the_general_way_when_the_model_names_them_itself():
    several = Decoder(replace(SPEC, names_its_answers=True))
    everything = {"inputs": [tensor()]}
    assert several.v2(json.dumps(everything).encode()) is not None
    chosen = everything | {"outputs": [{"name": "predict"}]}
    assert several.v2(json.dumps(chosen).encode()) is None


@pytest.mark.parametrize("body", CORPUS)
def test_recorded_bodies_are_understood_as_the_general_way_does_or_not_at_all(body):
    for protocol in ("v2", "mlflow"):
        agrees(protocol, body.encode("utf-8", "surrogateescape"))


NUMBERS = st.one_of(st.integers(-(2**66), 2**66), st.floats(), st.booleans(), st.none(), st.text())
KEYS = [
    *("inputs", "instances", "dataframe_split", "dataframe_records", "columns", "data"),
    *("a", "b", "name", "shape", "datatype", "id", "outputs"),
]
JSON = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
TENSORS = st.fixed_dictionaries(
    {
        "name": st.just("x"),
        "shape": st.lists(st.integers(-1, 3), max_size=3),
        "datatype": st.sampled_from(["FP64", "FP32", "INT64", "UINT8", "BOOL", "BYTES", 7]),
        "data": st.lists(NUMBERS, max_size=6) | st.lists(st.floats(-9, 9), min_size=2, max_size=4),
    }
)
BODIES = st.one_of(
    JSON.map(json.dumps).map(str.encode),
    st.fixed_dictionaries({"inputs": st.lists(TENSORS, max_size=2)})
    .map(json.dumps)
    .map(str.encode),
    st.binary(max_size=60),
)


@examples(300)
@given(BODIES)
def test_no_body_is_understood_in_two_ways(body):
    for protocol in ("v2", "mlflow"):
        agrees(protocol, body)


@pytest.mark.parametrize(
    "result",
    [
        np.array([1, 2]),
        np.array([0.5], dtype="float32"),
        np.array([[0.25, 0.75]]),
        np.array([True]),
        np.array(["setosa"]),
        ["setosa"],
        {"a": [1], "b": [2.0]},
    ],
    ids=str,
)
@pytest.mark.parametrize("request_id", [None, 'a "quoted" one'])
def test_answers_are_written_as_the_general_way_writes_them(result, request_id):
    encoder = Encoder("iris", "7")
    request = v2.InferRequest(Rows(()), request_id, ())
    assert encoder.v2(result, request_id) == v2.encode(result, request, "iris", "7")
    assert encoder.mlflow(result) == invocations.encode(result)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([(b"content-length", b"9"), (b"user-agent", b"x")], True),
        ([(b"content-length", b"9"), (b"content-type", b"application/json")], True),
        ([(b"content-length", b"9"), (b"content-type", b"text/csv")], False),
        ([(b"content-length", b"9"), (b"expect", b"100-continue")], False),
        ([(b"content-length", b"9"), (b"content-encoding", b"gzip")], False),
        ([(b"content-length", b"9"), (b"inference-header-content-length", b"3")], False),
        ([(b"content-length", b"9"), (b"accept", b"text/csv")], False),
        ([(b"content-length", str(FAST_BODY_BYTES + 1).encode())], False),
        ([(b"transfer-encoding", b"chunked")], False),
        ([], False),
    ],
)
def test_only_a_plain_head_may_take_the_fast_lane(headers, expected):
    host = (b"host", b"pod")
    assert is_plain([host, *headers], b"pod") is expected
    for other in ([], [host, host], [(b"host", b"other")]):
        assert not is_plain([*other, *headers], b"pod")


class Connection:
    """Keeps its latest exchange, as a real one does until the next request."""

    default_headers = ()

    def __init__(self) -> None:
        self.answered = asyncio.Event()

    def respond(self, number: int, head: bytes, body: bytes) -> None:
        self.answered.set()


@pytest.mark.parametrize("end", ["answered", "abandoned"])
def test_a_request_that_is_over_is_freed_without_a_garbage_collection(end):
    array = np.array([[1.0, 2.0]])
    freed = weakref.ref(array)

    async def exchange(array: np.ndarray) -> None:
        lane = FastLane(Telemetry("iris", "7"))
        lane.open(model(ArrayAdapter()))
        connection = Connection()
        route = lane.routes[b"/invocations"]
        one = Exchange(connection, lane, route, Asked(array), 0.0)
        one.start()
        if end == "abandoned":
            one.leave(499)
        else:
            await connection.answered.wait()

    gc.disable()
    try:
        coroutine = exchange(array)
        del array
        asyncio.run(coroutine)
        # The thread that predicted lets go of it a moment after it has handed over the answer.
        until(lambda: freed() is None)
    finally:
        gc.enable()
