"""Open Inference V2 with models of MLflow: a tensor's type is what the model sees, and an answer's
type is what the metadata say."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from mlflow.models import ModelSignature, infer_signature
from mlflow.sklearn import save_model
from mlflow.types.schema import ColSpec, Schema, TensorSpec
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline

from pennant_testing.serving.differential import NEEDS, Bundles, served
from pennant_testing.serving.seeing_models import Seeing, seen

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

VALUES = {
    "BOOL": [True, False],
    **{f"INT{bits}": [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": [0, 2**bits - 1] for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": [0.5, -1.25] for bits in (16, 32, 64)},
    "BYTES": ["x", "ü"],
}


def tensor(name, datatype, data, shape=None, **parameters):
    described = {"name": name, "datatype": datatype, "shape": shape or [len(data)], "data": data}
    return described | ({"parameters": parameters} if parameters else {})


def infer(client, *inputs, **rest):
    return client.post("/v2/models/iris/infer", json={"inputs": inputs, **rest})


def saw(answer):
    """What the model says that it saw."""
    assert answer.status_code == 200, answer.text
    return json.loads(answer.json()["outputs"][0]["data"][0])


@pytest.fixture(scope="module")
def seeing(tmp_path_factory):
    return Bundles(tmp_path_factory.mktemp("seeing"), Seeing())


@pytest.fixture(scope="module")
def unsigned(seeing):
    return served(seeing.signed(None), "pyfunc")


@pytest.mark.parametrize("datatype", VALUES)
def test_a_tensor_keeps_its_type_where_no_signature_says_one(unsigned, datatype):
    data = VALUES[datatype]
    found = saw(infer(unsigned, tensor("x", datatype, data)))
    dtype = "<U1" if datatype == "BYTES" else datatype.lower().replace("fp", "float")
    assert found == seen(np.array(data, dtype=dtype))


def test_columns_of_different_types_keep_them_where_no_signature_says_any(unsigned):
    kinds = [kind for kind in VALUES if kind != "BYTES"]
    found = saw(infer(unsigned, *(tensor(kind, kind, VALUES[kind]) for kind in kinds)))
    assert [dtype for _, dtype, _ in found["frame"]] == [
        kind.lower().replace("fp", "float") for kind in kinds
    ]
    assert found["frame"][kinds.index("UINT64")][2][1] == f"int {2**64 - 1}"


def test_a_column_becomes_what_the_signature_says_if_nothing_is_lost(seeing):
    columns = [ColSpec("integer", "a"), ColSpec("float", "b"), ColSpec("string", "c")]
    client = served(seeing.signed(ModelSignature(inputs=Schema(columns))), "pyfunc")
    given = tensor("b", "FP64", [0.5]), tensor("c", "BYTES", ["x"])
    found = saw(infer(client, tensor("a", "INT64", [7]), *given))
    assert [dtype for _, dtype, _ in found["frame"]] == ["int32", "float32", "str"]
    for lost in (2**31, 2**40):
        refused = infer(client, tensor("a", "INT64", [lost]), *given)
        assert refused.status_code == 400
        assert str(lost) in refused.json()["error"]
    assert infer(client, tensor("a", "FP64", [1.5]), *given).status_code == 400


def test_columns_without_names_are_taken_by_their_place(seeing):
    columns = [ColSpec("double"), ColSpec("double")]
    client = served(seeing.signed(ModelSignature(inputs=Schema(columns))), "pyfunc")
    found = saw(infer(client, tensor("x", "FP64", [1, 2], [1, 2])))
    assert found["frame"] == [
        ["int 0", "float64", ["float 1.0"]],
        ["int 1", "float64", ["float 2.0"]],
    ]


def test_columns_whose_names_are_numbers_are_found_by_their_digits(seeing):
    signature = infer_signature(pd.DataFrame(np.eye(2)))
    client = served(seeing.signed(signature), "pyfunc")
    asked = client.get("/v2/models/iris").json()["inputs"]
    assert [each["name"] for each in asked] == ["0", "1"]
    found = saw(infer(client, tensor("1", "FP64", [1.5]), tensor("0", "FP64", [2.5])))
    assert [name for name, *_ in found["frame"]] == ["int 0", "int 1"]
    assert client.get("/openapi.json").status_code == 200


def test_tensors_by_name_may_differ_in_their_first_size(seeing):
    two = [TensorSpec(np.dtype("int64"), (-1,), "a"), TensorSpec(np.dtype("float32"), (-1, 2), "b")]
    client = served(seeing.signed(ModelSignature(inputs=Schema(two))), "pyfunc")
    matrix = tensor("b", "FP32", [1, 2, 3, 4], [2, 2])
    found = saw(infer(client, tensor("a", "INT64", [7]), matrix))
    assert found["dict"][0] == ["str 'a'", {"array": "int64", "shape": [1], "cells": ["int 7"]}]
    assert found["dict"][1][1]["shape"] == [2, 2]


TEXTS = ["x y", "y z", "x x", "z z"]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("shape", [[2], [2, 1]])
def test_a_vectorizer_is_given_texts(tmp_path, signed, shape):
    estimator = make_pipeline(CountVectorizer(token_pattern="."), LogisticRegression())
    estimator.fit(TEXTS, [0, 1, 0, 1])
    signature = infer_signature(pd.DataFrame({"text": TEXTS})) if signed else None
    save_model(estimator, tmp_path / "m", signature=signature, **NEEDS)
    client = served(tmp_path / "m", "auto")
    wanted = estimator.predict(["x x", "z z"]).tolist()
    answer = infer(client, tensor("text", "BYTES", ["x x", "z z"], shape))
    assert answer.json()["outputs"][0]["data"] == wanted
    frame = {"dataframe_split": {"columns": ["text"], "data": [["x x"], ["z z"]]}}
    assert client.post("/invocations", json=frame).json()["predictions"] == wanted


@pytest.mark.parametrize("value", [5, None, True])
def test_what_is_no_text_is_the_callers_mistake_to_a_vectorizer(tmp_path, value):
    estimator = make_pipeline(CountVectorizer(token_pattern="."), LogisticRegression())
    signature = infer_signature(pd.DataFrame({"text": TEXTS}))
    save_model(estimator.fit(TEXTS, [0, 1, 0, 1]), tmp_path / "m", signature=signature, **NEEDS)
    records = [{"text": "x"}, {"text": value}]
    for asked in (records, records[1:]):
        answer = served(tmp_path / "m", "auto").post(
            "/invocations", json={"dataframe_records": asked}
        )
        assert answer.status_code == 400


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier") / "m"
    x = np.array([[0, 1], [1, 0], [0, 2], [2, 0]], dtype="float32")
    estimator = LogisticRegression().fit(x, [0, 1, 0, 1])
    signature = infer_signature(x, estimator.predict(x), params={"p": 1.5})
    save_model(estimator, folder, signature=signature, **NEEDS)
    return served(folder, "auto")


def test_probabilities_have_the_type_of_the_metadata(classifier):
    outputs = {each["name"]: each for each in classifier.get("/v2/models/iris").json()["outputs"]}
    wanted = [{"name": "predict_proba"}, {"name": "predict_log_proba"}]
    answer = infer(classifier, tensor("x", "FP32", [0, 1], [1, 2]), outputs=wanted)
    for output in answer.json()["outputs"]:
        assert output["datatype"] == outputs[output["name"]]["datatype"] == "FP64"


def test_params_are_checked_though_the_model_takes_none(classifier):
    row = tensor("x", "FP32", [0, 1], [1, 2])
    assert infer(classifier, row, parameters={"p": 2.5}).status_code == 200
    refused = infer(classifier, row, parameters={"p": "invalid"})
    assert (refused.status_code, "invalid" in refused.json()["error"]) == (400, True)
    body = {"instances": [[0, 1]], "params": {"p": "invalid"}}
    assert classifier.post("/invocations", json=body).status_code == 400


def test_several_outputs_of_an_array_are_one_tensor_in_metadata_and_answers(tmp_path):
    x = np.array([[0.0, 1.0], [1.0, 0.0]])
    y = pd.DataFrame({"p": [0.5, 1.5], "q": [1.0, 2.0]})
    estimator = LinearRegression().fit(x, y)
    signature = infer_signature(x, y)
    save_model(estimator, tmp_path / "m", signature=signature, **NEEDS)
    client = served(tmp_path / "m", "auto")
    (described,) = client.get("/v2/models/iris").json()["outputs"]
    (answer,) = infer(client, tensor("x", "FP64", [0, 1], [1, 2])).json()["outputs"]
    assert described == {"name": "predict", "datatype": "FP64", "shape": [-1, 2]}
    assert (answer["name"], answer["datatype"], answer["shape"]) == ("predict", "FP64", [1, 2])


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"outputs": [{"name": "predict", "parameters": {"classification": 2}}]}, "classification"),
        (
            {"outputs": [{"name": "predict", "parameters": {"shared_memory_region": "r"}}]},
            "shared memory",
        ),
        ({"parameters": {"sequence_id": 7}}, "sequence"),
    ],
)
def test_what_is_not_supported_is_refused(classifier, more, says):
    answer = infer(classifier, tensor("x", "FP32", [0, 1], [1, 2]), **more)
    assert (answer.status_code, says in answer.json()["error"]) == (400, True)


def test_an_input_in_shared_memory_is_refused(classifier):
    given = tensor("x", "FP32", [], [1, 2], shared_memory_region="r", shared_memory_byte_size=8)
    answer = infer(classifier, given)
    assert (answer.status_code, "shared memory" in answer.json()["error"]) == (400, True)


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from mlflow.pyfunc import PythonModel
    from mlflow.pyfunc import save_model as save_pyfunc


class Masking(PythonModel):
    """Answers with arrays of which one entry is masked."""

    def predict(self, context, model_input, params=None):
        mask = [True, False]
        return {
            "floats": np.ma.array([1.5, 2.5], mask=mask),
            "whole": np.ma.array([1, 2], mask=mask),
            "times": np.array(["NaT", "2026-03-01"], dtype="datetime64[ns]"),
        }


def test_what_is_masked_or_no_time_is_missing(tmp_path):
    save_pyfunc(tmp_path / "m", python_model=Masking(), **NEEDS)
    answer = infer(served(tmp_path / "m", "auto"), tensor("x", "FP64", [1, 2]))
    found = {each["name"]: (each["datatype"], each["data"]) for each in answer.json()["outputs"]}
    assert found == {
        "floats": ("FP64", [None, 2.5]),
        "whole": ("BYTES", ["null", "2"]),
        "times": ("BYTES", ["null", "2026-03-01T00:00:00"]),
    }
