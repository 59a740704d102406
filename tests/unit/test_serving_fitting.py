"""Rows that do not fit: what is told of the columns or tensors that the model takes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from pennant_serving import inference
from pennant_serving.adapters.native_sklearn import SklearnAdapter
from pennant_serving.bundle.takes import Takes
from pennant_serving.codecs.media import CSV, JSON
from pennant_serving.codecs.seen import seen
from pennant_serving.errors import InvalidInput, Unfit
from pennant_serving.grpc import codec
from pennant_serving.grpc.messages import ModelInferRequest
from pennant_serving.model.fitting import explained
from pennant_serving.rows import Columns, Prepared, Rows
from pennant_testing.serving.app_builders import SIGNATURE, Client, client, model, sklearn_bundle

pytestmark = pytest.mark.unit

A_AND_B = Takes(("a", "b"), ("double", "long"), frozenset({"a", "b"}), 2, are_numbers=True)
UNSIGNED = Takes(("a", "b"), (), frozenset({"a", "b"}), 2)
NAMELESS = Takes(width=2)
TWO_TENSORS = Takes(("l", "r"), ("float32", "float32"), frozenset({"l", "r"}), are_tensors=True)
ONE_TENSOR = Takes((), ("float64, shape [-1, 2]",), row=(2,), are_tensors=True, are_numbers=True)
NO_NUMBER = "could not convert string to float: 'x'"


def explanation(takes: Takes, asked: Any, *tensors: str, message: str = NO_NUMBER) -> str:
    return str(explained(InvalidInput(message), takes, asked, tensors))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Rows([[1, 2]], ("x", "y")), "missing columns: a, b; the model takes a (double), b (long)"),
        (Rows([[1]], ("a",)), "missing columns: b; the model takes a (double), b (long)"),
        (Columns({"a": np.array([1.0])}), "; the request has a ("),
        (Prepared(pd.DataFrame({"x": [1]})), "missing columns: a, b"),
        (Prepared({"x": np.array([1])}), "missing columns: a, b"),
        (Prepared([{"x": 1}]), "missing columns: a, b"),
        (Rows([[1]]), "rows have 1 value and need 2; the model takes a (double), b (long); "),
        (Rows([1, 2]), "the request has one value for each row, without names"),
        (Rows(np.zeros((4, 3))), "the request has rows of 3 values, without names"),
        (Prepared(pd.DataFrame([[1]])), "the request has rows of 1 value, without names"),
        (Prepared(np.array("x")), "rows have 1 value and need 2"),
        (Prepared({"a": np.array("x"), "b": np.array(1)}), "column a holds text ('x')"),
        (Prepared({"a": np.array([["x"]]), "b": np.array([[1]])}), "column a holds text ('x')"),
        (Rows([["x", 1]]), "column a holds text ('x')"),
        (Rows([[1, "x"]], ("a", "b")), "column b holds text ('x')"),
        (Prepared(pd.DataFrame({"a": [1], "b": ["x"]})), "column b holds text ('x')"),
    ],
)
def test_of_named_columns_what_is_taken_given_and_missing_is_told(asked: Any, says: str):
    assert says in explanation(A_AND_B, asked)
    assert explanation(A_AND_B, asked).endswith(f"({NO_NUMBER})")


@pytest.mark.parametrize(
    ("takes", "asked", "says"),
    [
        (NAMELESS, Rows([[1]]), "the model takes rows of 2 values: its columns have no names"),
        (NAMELESS, Rows([["x", 1]]), "column 0 holds text ('x')"),
        (NAMELESS, Prepared({"a": np.array([1])}), "the model's columns have none"),
        (UNSIGNED, Rows([[1]], ("a",)), "missing columns: b; the model takes a, b"),
        (UNSIGNED, Prepared([{"a": 1, "b": 2}]), "understood in dataframe_split and"),
        (ONE_TENSOR, Rows([[1, 2, 3]]), "a row has shape [3] and needs [2]"),
        (ONE_TENSOR, Rows([[1, 2]], ("a", "b")), "the model's tensor has none"),
        (TWO_TENSORS, Rows([[1, 2]]), "missing tensors: l, r; the model takes l (float32)"),
        (TWO_TENSORS, Rows([[1]], ("r",)), "missing tensors: l"),
    ],
)
def test_so_it_is_of_models_without_names_and_of_tensors(takes: Takes, asked: Any, says: str):
    assert says in explanation(takes, asked)


def test_of_a_lone_tensor_its_name_tells_whether_it_is_one_of_several():
    assert explanation(A_AND_B, Rows([1, 2]), "a").startswith("missing columns: b;")
    assert explanation(TWO_TENSORS, Rows([[1, 2]]), "l").startswith("missing tensors: r;")
    assert "the request has the tensor 'x', rows of 1 value" in explanation(
        A_AND_B, Rows([[1]]), "x"
    )


@pytest.mark.parametrize(
    ("takes", "asked"),
    [
        (A_AND_B, Rows([[1, 2]], ("b", "a"))),
        (A_AND_B, Rows([[1, 2]])),
        (NAMELESS, Rows([[1, 2]], ("x", "y"))),
        (UNSIGNED, Rows([["x", 2]])),
        (TWO_TENSORS, Columns({"l": np.zeros((1, 2)), "r": np.zeros((1, 2))})),
        (None, Rows([[1]])),
        (A_AND_B, None),
    ],
)
def test_what_fits_is_told_in_the_librarys_own_words(takes: Takes, asked: Any):
    assert explanation(takes, asked, message="Input X contains NaN.") == "Input X contains NaN."


def test_our_own_words_are_not_told_twice():
    assert "(" not in str(explained(Unfit("rows have 1 values"), UNSIGNED, Rows([[1]])))


def test_of_many_names_some_are_told_and_how_many_more():
    many = Takes(tuple(f"c{n}" for n in range(500)), (), frozenset(), 500)
    message = explanation(many, Rows([[1]]))
    assert "c19 and 480 more; the request has" in message


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=8,
)


@given(VALUES)
def test_whatever_was_given_can_be_told(value: Any):
    rows = value if isinstance(value, list) else [value]
    for takes in (A_AND_B, UNSIGNED, NAMELESS, ONE_TENSOR, TWO_TENSORS):
        given_as = [Rows(rows), Prepared(value), Prepared(rows)]
        with contextlib.suppress(ValueError):  # not all of it makes an array
            given_as += [Prepared(np.array(value)), Prepared({"a": np.array(value)})]
        for asked in given_as:
            assert isinstance(explained(InvalidInput("no"), takes, asked, ("a",)), InvalidInput)
    for form in ("instances", "inputs", "dataframe_split", "dataframe_records"):
        seen(JSON, json.dumps({form: value}).encode())


@given(st.text())
def test_whatever_text_was_sent_as_csv_can_be_looked_at(text: str):
    rows = seen(CSV, text.encode("utf-8", "surrogatepass"))
    assert rows is None or all(len(row) <= len(rows.columns or ()) for row in rows.values)


def test_of_csv_the_header_and_what_is_no_number_are_seen():
    rows = seen(CSV, b"a,b\n1,x\n,2\n")
    assert rows is not None
    assert (rows.columns, rows.values) == (("a", "b"), [[1.0, "x"], [None, 2.0]])


@pytest.fixture
def named(tmp_path) -> Client:
    fitted = LinearRegression().fit([[0, 0], [1, 0], [0, 1]], [0, 1, 10])
    return client(SklearnAdapter.load(sklearn_bundle(tmp_path, fitted, inputs=SIGNATURE)))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"dataframe_split": {"columns": ["x"], "data": [[1]]}}, "missing columns: a, b"),
        ({"dataframe_records": [{"a": 1}]}, "missing columns: b"),
        ({"dataframe_records": [{"a": "x", "b": 1}]}, "column a holds text"),
        ({"instances": [{"x": 1}]}, "missing columns: a, b"),
        ({"instances": [["x", 1]]}, "column a holds text"),
        ({"instances": [[1]]}, "rows have 1 value and need 2"),
        ({"inputs": {"a": [1]}}, "missing columns: b"),
        ({"inputs": [{"x": 1}]}, "missing columns: a, b"),
    ],
)
def test_invocations_names_the_columns(named: Client, body: dict[str, Any], says: str):
    answer = named.post("/invocations", json=body)
    assert answer.status_code == 400
    assert says in answer.json()["message"]
    assert "the model takes a (double), b (double); the request has" in answer.json()["message"]


def test_csv_without_the_columns_is_told_which(named: Client):
    headers = {"content-type": "text/csv"}
    answer = named.post("/invocations", content="x,y\n1,2\n", headers=headers)
    assert "missing columns: a, b" in answer.json()["message"]


@pytest.mark.parametrize(
    ("tensors", "says"),
    [
        ({"x": [1], "y": [2]}, "missing columns: a, b"),
        ({"a": [1]}, "missing columns: b"),
        ({"x": [1]}, "the request has the tensor 'x'"),
        ({"a": ["x"], "b": [1]}, "column a holds text"),
    ],
)
def test_v2_names_the_tensors(named: Client, tensors: dict[str, Any], says: str):
    inputs = [
        {"name": name, "shape": [1], "datatype": _type(data), "data": data}
        for name, data in tensors.items()
    ]
    answer = named.post("/v2/models/iris/infer", json={"inputs": inputs})
    assert answer.status_code == 400
    assert says in answer.json()["error"]
    assert "the model takes a (double), b (double)" in answer.json()["error"]


def test_grpc_names_the_tensors(tmp_path):
    fitted = LinearRegression().fit([[0, 0], [1, 0], [0, 1]], [0, 1, 10])
    adapter = SklearnAdapter.load(sklearn_bundle(tmp_path, fitted, inputs=SIGNATURE))
    request = ModelInferRequest(model_name="iris")
    tensor = request.inputs.add(name="a", datatype="FP64", shape=[1])
    tensor.contents.fp64_contents.append(1.0)
    with pytest.raises(InvalidInput, match=r"missing columns: b; the model takes a .double"):
        asyncio.run(inference.answer(model(adapter), codec.decode(request), "grpc"))


def _type(data: list[Any]) -> str:
    return "BYTES" if isinstance(data[0], str) else "FP64"
