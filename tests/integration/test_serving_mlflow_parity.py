"""/invocations against MLflow's own scoring server: the same answers, and the same refusals."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from mlflow.sklearn import save_model as save_sklearn
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from pennant_testing.serving.differential import NEEDS, ServerPair, served

pytestmark = pytest.mark.integration

NUMBERS = pd.DataFrame({"a": [0.0, 1.0, 0.0, 3.0], "b": [0, 0, 1, 2]})
MIXED = pd.DataFrame({"city": ["Ulm", "Bonn", "Ulm", "Bonn"], "size": [1.0, 2.0, 3.0, 4.0]})
TARGET = [0, 1, 0, 1]


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # MLflow's own, about type hints that it or we do not have
    from mlflow.pyfunc import PythonModel, load_model, save_model

    class Scaled(PythonModel):
        """Multiplies its column by a param."""

        def predict(self, context, model_input, params=None):
            return model_input["a"] * params["factor"]


def save(name: str, path: Path) -> None:
    """The bundles that requests are compared on."""
    if name == "params":
        signature = infer_signature(NUMBERS[["a"]], NUMBERS["a"], params={"factor": 2})
        save_model(path, python_model=Scaled(), signature=signature, **NEEDS)
        return
    if name == "tensor":
        x = NUMBERS.to_numpy()
        model = LinearRegression().fit(x, TARGET)
        save_sklearn(model, path, signature=infer_signature(x, model.predict(x)), **NEEDS)
        return
    if name == "mixed":
        encoder = make_column_transformer((OneHotEncoder(), ["city"]), (StandardScaler(), ["size"]))
        model, rows = make_pipeline(encoder, LogisticRegression()).fit(MIXED, TARGET), MIXED
    elif name == "proba":
        model, rows = LogisticRegression().fit(NUMBERS, TARGET), NUMBERS
    else:
        model, rows = LinearRegression().fit(NUMBERS, TARGET), NUMBERS
    signature = None if name == "unsigned" else infer_signature(rows, model.predict(rows))
    extra = {"pyfunc_predict_fn": "predict_proba"} if name == "proba" else {}
    extra |= {"serialization_format": "cloudpickle", **NEEDS}
    save_sklearn(model, path, signature=signature, **extra)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ServerPair]:
    by_name = {}
    folder = tmp_path_factory.mktemp("models")
    for name in ("numbers", "mixed", "proba", "tensor", "unsigned", "params"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's own, about its own
            save(name, folder / name)
            theirs = load_model(str(folder / name))
        by_name[name] = ServerPair(theirs, served(folder / name, "auto"))
        by_name[f"{name} by pyfunc"] = ServerPair(theirs, served(folder / name, "pyfunc"))
    return by_name


def parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer)
    return buffer.getvalue()


JSON, CSV, PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"
SPLIT = {"columns": ["b", "a"], "data": [[1, 2.5], [2, 3]]}
GOOD: dict[str, list[tuple[str, str, Any]]] = {
    "numbers": [
        ("split", JSON, {"dataframe_split": SPLIT}),
        ("split with an index", JSON, {"dataframe_split": SPLIT | {"index": [7, 8]}}),
        ("records", JSON, {"dataframe_records": [{"a": 1, "b": 2}, {"b": 3, "a": 4.5}]}),
        ("more columns", JSON, {"dataframe_records": [{"a": 1, "b": 2, "c": "x"}]}),
        ("instances", JSON, {"instances": [{"a": 1.5, "b": 2}]}),
        ("inputs", JSON, {"inputs": {"a": [1.0, 2.0], "b": [3, 4]}}),
        ("a row of inputs", JSON, {"inputs": {"a": 1.0, "b": 3}}),
        ("rows of inputs", JSON, {"inputs": [{"a": 1.0, "b": 3}, {"a": 2.0, "b": 3}]}),
        ("unknown keys", JSON, {"dataframe_split": SPLIT, "else": 1}),
        ("params of a model without", JSON, {"dataframe_split": SPLIT, "params": {"x": 1}}),
        ("charset", f"{JSON}; charset=utf-8", {"dataframe_split": SPLIT}),
        ("numbers in strings", JSON, {"dataframe_records": [{"a": "1.5", "b": 2}]}),
        ("csv", CSV, b"a,b\n1.5,2\n3,4\n"),
        ("csv in another order", f"{CSV}; charset=UTF-8", b"b,a\n2,1.5\n"),
        ("parquet", PARQUET, parquet(NUMBERS)),
    ],
    "mixed": [
        ("records", JSON, {"dataframe_records": MIXED.to_dict("records")}),
        ("inputs", JSON, {"inputs": MIXED.to_dict("list")}),
        ("csv", CSV, MIXED.to_csv(index=False).encode()),
        ("parquet", PARQUET, parquet(MIXED)),
    ],
    "proba": [("split", JSON, {"dataframe_split": SPLIT})],
    "tensor": [
        ("instances", JSON, {"instances": [[1, 2], [3, 4.5]]}),
        ("inputs", JSON, {"inputs": [[1, 2], [3, 4.5]]}),
        ("split", JSON, {"dataframe_split": {"columns": ["x", "y"], "data": [[1, 2]]}}),
    ],
    "unsigned": [
        ("instances", JSON, {"instances": [[1, 2]]}),
        ("split", JSON, {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]]}}),
        ("csv", CSV, b"a,b\n1,2\n"),
    ],
    "params": [
        ("default", JSON, {"dataframe_records": [{"a": 1.5}]}),
        ("given", JSON, {"dataframe_records": [{"a": 1.5}], "params": {"factor": 3}}),
        ("unknown", JSON, {"dataframe_records": [{"a": 1.5}], "params": {"other": 3}}),
        ("null", JSON, {"dataframe_records": [{"a": 1.5}], "params": None}),
    ],
}
BAD: dict[str, list[tuple[str, str, Any]]] = {
    "numbers": [
        ("no JSON", JSON, b"{"),
        ("not UTF-8", JSON, b'{"inputs": "\xff"}'),
        ("a list", JSON, [1, 2]),
        ("no form", JSON, {"data": [[1, 2]]}),
        ("two forms", JSON, {"instances": [[1, 2]], "inputs": [[1, 2]]}),
        ("a missing column", JSON, {"dataframe_records": [{"a": 1.0}]}),
        ("a text for a number", JSON, {"dataframe_records": [{"a": "x", "b": 1}]}),
        ("a fraction for a whole number", JSON, {"dataframe_records": [{"a": 1.0, "b": 1.5}]}),
        ("null for a whole number", JSON, {"dataframe_records": [{"a": 1.0, "b": None}]}),
        ("a ragged frame", JSON, {"dataframe_split": {"columns": ["a", "b"], "data": [[1]]}}),
        ("a frame without data", JSON, {"dataframe_split": {"columns": ["a", "b"]}}),
        ("records that are none", JSON, {"dataframe_records": {"a": 1}}),
        ("columns of two lengths", JSON, {"inputs": {"a": [1.0, 2.0], "b": [1]}}),
        ("rows without names", JSON, {"instances": [[1.0, 2]]}),
        ("no rows", JSON, {"dataframe_records": []}),
        ("csv without a column", CSV, b"a\n1\n"),
        ("csv with text", CSV, b"a,b\nx,1\n"),
        ("empty csv", CSV, b""),
        ("no parquet", PARQUET, b"PAR?"),
        ("another type", "text/html", b"<p>"),
        ("another charset", f"{JSON}; charset=latin-1", {"dataframe_split": SPLIT}),
        ("another parameter", f"{CSV}; header=absent", b"a,b\n1,2\n"),
    ],
    "mixed": [
        ("a number for a text", JSON, {"dataframe_records": [{"city": 1, "size": 1.0}]}),
        ("a city that it never saw", JSON, {"dataframe_records": [{"city": "?", "size": 1.0}]}),
    ],
    "tensor": [
        ("a wrong width", JSON, {"instances": [[1, 2, 3]]}),
        ("text", JSON, {"instances": [["x", "y"]]}),
    ],
    "unsigned": [("a wrong width", JSON, {"instances": [[1, 2, 3]]})],
    "params": [
        ("of another type", JSON, {"dataframe_records": [{"a": 1.5}], "params": {"factor": "x"}}),
        ("no object", JSON, {"dataframe_records": [{"a": 1.5}], "params": 3}),
    ],
}
DIFFERENT = {
    ("numbers", "a fraction for a whole number"): (200, 400),  # cut off by MLflow
    ("numbers by pyfunc", "a fraction for a whole number"): (200, 400),
    ("numbers", "rows without names"): (400, 200),  # taken by their place
    ("numbers by pyfunc", "rows without names"): (400, 200),
}
"""The statuses of MLflow and ours where they are meant to differ; docs/serving.md says why."""


def cases(table):
    for name, requests in table.items():
        for what, content_type, body in requests:
            for pair in (name, f"{name} by pyfunc"):
                yield pytest.param(pair, what, content_type, body, id=f"{pair}-{what}")


def encoded(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def numbers(predictions: Any) -> Any:
    """Frames are columns in memory and arrays are rows, so the last digit may differ."""
    if predictions and isinstance(predictions[0], dict):
        return [pytest.approx(each) for each in predictions]
    return pytest.approx(np.array(predictions))


@pytest.mark.filterwarnings("ignore")  # MLflow's and scikit-learn's, about such requests
@pytest.mark.parametrize(("pair", "what", "content_type", "body"), list(cases(GOOD)))
def test_a_good_request_gets_mlflows_answer(pairs, pair, what, content_type, body):
    theirs, ours = pairs[pair].ask(encoded(body), content_type)
    assert (theirs.status, ours.status) == (200, 200), ours.text
    assert ours.content.keys() == theirs.content.keys() == {"predictions"}
    assert ours.content["predictions"] == numbers(theirs.content["predictions"])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("pair", "what", "content_type", "body"), list(cases(BAD)))
def test_a_bad_request_gets_mlflows_status(pairs, pair, what, content_type, body):
    theirs, ours = pairs[pair].ask(encoded(body), content_type)
    assert (theirs.status, ours.status) == DIFFERENT.get((pair, what), (theirs.status,) * 2)
    if ours.status >= 400:
        assert {"error_code", "message"} <= ours.content.keys()
