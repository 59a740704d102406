"""Wire formats: rows in, predictions out, and errors that say what is wrong."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from pennant_serving.codecs import frames, invocations, v2
from pennant_serving.errors import InvalidInput
from pennant_serving.rows import Rows

pytestmark = pytest.mark.unit


def tensor(data, shape, datatype="FP64", name="x"):
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def infer(*inputs, **rest):
    return v2.decode(json.dumps({"inputs": list(inputs), **rest}).encode())


def answer(result, **rest):
    request = v2.InferRequest(Rows([1]), rest.get("id"), rest.get("outputs", ()))
    return json.loads(v2.encode(result, request, "iris", "7"))


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ({"dataframe_split": {"columns": ["a"], "data": [[1], [2]]}}, [{"a": 1}, {"a": 2}]),
        ({"dataframe_split": {"data": [[1], [2]]}}, [[1], [2]]),
        (
            {"dataframe_records": [{"a": 1, "b": 2}, {"b": 4, "a": 3}]},
            [{"a": 1, "b": 2}, {"a": 3, "b": 4}],
        ),
        ({"instances": [[1, 2]]}, [[1, 2]]),
        ({"instances": [{"a": 1}]}, [{"a": 1}]),
        ({"inputs": ["U1", "U2"]}, ["U1", "U2"]),
        ({"inputs": "U1"}, ["U1"]),
        ({"inputs": {"a": 1, "b": "x"}, "signature": "else"}, [{"a": 1, "b": "x"}]),
        ({"dataframe_records": [{"a": 1}, {"b": 2}]}, [{"a": 1, "b": None}, {"a": None, "b": 2}]),
        ({"inputs": {"a": [1, 2], "b": [3, 4]}}, [{"a": 1, "b": 3}, {"a": 2, "b": 4}]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_every_form_of_invocations_becomes_rows(body, rows):
    assert list(invocations.parse(json.dumps(body).encode()).rows) == rows


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "not JSON"),
        (b"[1]", "not an object"),
        (b"{}", "exactly one of"),
        (b'{"instances": [1], "inputs": [1]}', "exactly one of"),
        (b'{"instances": [1], "params": 1}', "params must be an object"),
        (b'{"instances": []}', "no rows"),
        (b'{"instances": 1}', "must be a list"),
        (b'{"inputs": {"a": [1], "b": [1, 2]}}', "same length"),
        (b'{"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}', "list of 1 values"),
        (b'{"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}', "twice"),
        (b'{"dataframe_split": {"columns": ["1", 1], "data": [[1, 2]]}}', "twice"),
        (b'{"dataframe_split": {"columns": ["a"], "data": [[1]], "rows": 1}}', "'rows'"),
        (b'{"dataframe_split": {"columns": ["a"], "data": [[1]], "index": [0, 1]}}', "index"),
        (b'{"dataframe_split": {"columns": ["a"], "data": [[1]], "index": 1}}', "index"),
        (b'{"instances": [{"a": 1}, {"b": 1}]}', "same keys: a"),
    ],
)
def test_a_malformed_invocation_says_what_is_wrong(body, says):
    with pytest.raises(InvalidInput, match=says):
        invocations.parse(body)


def test_a_time_that_is_missing_is_null_in_v2_as_everywhere():
    times = pd.Series(pd.to_datetime(["2026-03-01", None], utc=True))
    data = answer(times)["outputs"][0]["data"]
    assert data == ["2026-03-01T00:00:00+00:00", "null"]


def test_columns_of_one_name_are_an_output_each():
    outputs = answer(pd.DataFrame([[1, 2]], columns=["a", "a"]))["outputs"]
    assert [(each["name"], each["data"]) for each in outputs] == [("a", [1]), ("a", [2])]


def test_the_longest_floats_are_written_as_doubles():
    longest = np.array([1.5], dtype="longdouble")
    assert json.loads(invocations.encode(longest)) == {"predictions": [1.5]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_lines_of_a_csv_may_end_as_in_any_system(end):
    assert frames.csv_text(f"a,b{end}1,2{end}".encode()) == f"a,b{end}1,2{end}"


def test_predictions_of_numpy_and_of_objects_are_written_as_json():
    assert json.loads(invocations.encode(np.array([1, 2]))) == {"predictions": [1, 2]}
    assert json.loads(invocations.encode(np.array(["a"]))) == {"predictions": ["a"]}
    assert json.loads(invocations.encode([{"x": np.float64(1)}])) == {"predictions": [{"x": 1.0}]}


def test_one_matrix_is_positional_rows_and_one_vector_one_value_each():
    assert list(infer(tensor([1, 2, 3, 4], [2, 2])).rows) == [[1, 2], [3, 4]]
    assert list(infer(tensor([[1, 2], [3, 4]], [2, 2])).rows) == [[1, 2], [3, 4]]
    assert list(infer(tensor(["U1", "U2"], [2], "BYTES")).rows) == ["U1", "U2"]


def test_several_tensors_are_columns_by_name():
    a, b = tensor([1, 2], [2, 1], name="a"), tensor(["x", "y"], [2], "BYTES", name="b")
    assert list(infer(a, b).rows) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def test_one_tensor_is_a_column_when_the_request_says_so():
    request = infer(tensor([1], [1], name="a"), parameters={"content_type": "pd"})
    assert list(request.rows) == [{"a": 1}]


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ([], "at least one tensor"),
        ([{"shape": [1]}], "name, shape, datatype and data"),
        ([tensor([1], "1")], "shape must be a list"),
        ([tensor([1], [2])], "wants 2 values, data holds 1"),
        ([tensor([1], [1], "FP8")], "'FP8' is none of"),
        ([tensor(["a"], [1])], "'a' is not FP64"),
        ([tensor([True], [1], "INT64")], "True is not INT64"),
    ],
)
def test_a_malformed_tensor_says_what_is_wrong(inputs, says):
    with pytest.raises(InvalidInput, match=says):
        infer(*inputs)


def test_tensors_of_different_length_make_no_rows():
    rows = infer(tensor([1], [1], name="a"), tensor([1, 2], [2], name="b")).rows
    with pytest.raises(InvalidInput, match=r"same number of rows \(a: 1, b: 2\)"):
        list(rows)


def test_predictions_become_tensors_with_their_types():
    assert answer(np.array([[1.5]], dtype="float32"))["outputs"] == [
        {"name": "predict", "shape": [1, 1], "datatype": "FP32", "data": [1.5]}
    ]
    assert answer(["a", "b"])["outputs"][0]["datatype"] == "BYTES"
    assert answer([{"items": ["N1"]}])["outputs"][0]["data"] == ['{"items":["N1"]}']
    assert answer([["N1"], []])["outputs"][0]["data"] == ['["N1"]', "[]"]


def test_a_response_carries_the_request_id_and_the_outputs_asked_for():
    answered = answer({"a": [1], "b": [2]}, id="42", outputs=("b",))
    assert (answered["id"], [each["name"] for each in answered["outputs"]]) == ("42", ["b"])
    with pytest.raises(InvalidInput, match="no output c; the model has a"):
        answer({"a": [1]}, outputs=("c",))
