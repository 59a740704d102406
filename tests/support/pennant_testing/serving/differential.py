"""The same bytes to MLflow's scoring application and to ours: models, requests, and both answers.

Models say what they see, to the type of each cell, so that two servers agree only when the model
cannot tell them apart.
"""

from __future__ import annotations

import datetime
import json
import math
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydantic
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature, infer_signature
from mlflow.types.schema import (
    AnyType,
    Array,
    ColSpec,
    DataType,
    Map,
    Object,
    Property,
    Schema,
    TensorSpec,
)
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from pennant_serving import adapters
from pennant_serving.bundle.bundle import Bundle
from pennant_serving.bundle.mlmodel import read_mlmodel
from pennant_serving.http.app import create_app
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_testing.serving.app_builders import Client, model, settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # MLflow's own, about type hints that it or we do not have
    from mlflow.pyfunc import PyFuncModel, load_model, save_model, scoring_server
    from mlflow.pyfunc.model import PythonModel

    class Seeing(PythonModel):
        """Answers with what it sees."""

        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            return [seen(model_input), seen(params)]

    class Answering(PythonModel):
        """Answers with the result that is asked for by name."""

        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            return results()[model_input["result"][0]]

    def hinted(hint: Any) -> PythonModel:
        """A model whose type hint says what it takes; it answers with what it sees."""

        def predict(self: PythonModel, model_input: Any, params: Any = None) -> list[Any]:
            return [seen(model_input)]

        predict.__annotations__ = {"model_input": hint, "return": list[Any]}
        hinted_class: type[PythonModel] = type("Hinted", (PythonModel,), {"predict": predict})
        return hinted_class()


NEEDS = {"pip_requirements": ["scikit-learn"]}  # named: MLflow takes long to find them out


def seen(value: Any) -> Any:
    """A value as JSON that tells its types."""
    if isinstance(value, pd.DataFrame):
        columns = [
            [seen(n), str(value.iloc[:, p].dtype), [seen(each) for each in value.iloc[:, p]]]
            for p, n in enumerate(value.columns)
        ]
        return {"frame": columns, "index": [seen(each) for each in value.index]}
    if isinstance(value, np.ndarray):
        cells = [seen(each) for each in value.ravel().tolist()]
        return {"array": str(value.dtype), "shape": list(value.shape), "cells": cells}
    if isinstance(value, dict):
        return {"dict": [[seen(name), seen(each)] for name, each in value.items()]}
    if isinstance(value, (list, tuple)):
        return {type(value).__name__: [seen(each) for each in value]}
    return f"{type(value).__name__} {value!r}"


@dataclass(frozen=True)
class Answer:
    """The parts of a response that clients go by."""

    status: int
    text: str

    @property
    def content(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Pair:
    """The same model behind MLflow's server and behind ours."""

    mlflow: PyFuncModel
    ours: Client

    def ask(self, body: bytes, content_type: str = "application/json") -> tuple[Answer, Answer]:
        """What each of the two answers: MLflow first."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what the requests make libraries do
            return self._theirs(body, content_type), self._ours(body, content_type)

    def _ours(self, body: bytes, content_type: str) -> Answer:
        headers = {"content-type": content_type}
        answer = self.ours.post("/invocations", content=body, headers=headers)
        return Answer(answer.status_code, answer.text)

    def _theirs(self, body: bytes, content_type: str) -> Answer:
        """What its route does, without FastAPI around it."""
        schema = self.mlflow.metadata.get_input_schema()
        try:
            found = scoring_server.invocations(body, content_type, self.mlflow, schema)
        except MlflowException as error:
            return Answer(error.get_http_status_code(), error.serialize_as_json())
        except Exception as error:  # noqa: BLE001 - FastAPI makes a 500 of it
            return Answer(500, json.dumps(f"{type(error).__name__}: {error}"))
        return Answer(found.status, found.response)


def pair(bundle: Path, adapter: str = "auto") -> Pair:
    """Both servers around the model in this folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, about its own
        return Pair(load_model(str(bundle)), served(bundle, adapter))


def served(path: Path, adapter: str) -> Client:
    """Our application around the model in this folder."""
    bundle = Bundle(path, read_mlmodel(path))
    name = adapters.choose(adapter, bundle)
    loaded = model(adapters.load(name, bundle))
    lifecycle = Lifecycle()
    lifecycle.ready(replace(loaded, bundle=bundle, adapter_name=name))
    return Client(create_app(settings(), lifecycle, AdapterRoutes()))


class Bundles:
    """Bundles of one model with signatures of many kinds."""

    def __init__(self, folder: Path, python_model: Any) -> None:
        self._folder = folder
        self._count = 0
        self.plain = folder / "plain"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            save_model(self.plain, python_model=python_model, **NEEDS)

    def signed(self, signature: ModelSignature | None) -> Path:
        """A bundle with this signature."""
        self._count += 1
        bundle = self._folder / str(self._count)
        shutil.copytree(self.plain, bundle)
        described = Model.load(bundle)
        described.signature = signature
        described.save(bundle / "MLmodel")
        return bundle


TYPES = (*DataType,)
NUMBERS = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64"),
)


def signatures() -> Iterator[tuple[str, ModelSignature | None]]:
    """Signatures of every kind, by name."""
    yield "none", None
    for kind in TYPES:
        name = kind.name
        second = ColSpec("double", "b")
        yield f"{name} column", _signed(ColSpec(kind, "a"), second)
        yield f"{name} optional column", _signed(ColSpec(kind, "a", required=False), second)
        yield f"{name} only column", _signed(ColSpec(kind, "a"))
        yield f"{name} unnamed column", _signed(ColSpec(kind))
        yield f"{name} unnamed columns", _signed(ColSpec(kind), ColSpec("double"))
        yield f"{name} Array column", _signed(ColSpec(Array(kind), "a"), second)
        thing = Object([Property("x", kind), Property("y", kind, required=False)])
        yield f"{name} Object column", _signed(ColSpec(thing, "a"))
        yield f"{name} Map column", _signed(ColSpec(Map(kind), "a"))
    yield "any column", _signed(ColSpec(AnyType(), "a"))
    numbers: tuple[Any, ...] = (0, 1)  # MLflow takes them for names
    yield "numbered columns", _signed(*(ColSpec("double", number) for number in numbers))
    for dtype in (*NUMBERS, "str", "object"):
        np_type = np.dtype(dtype)
        yield f"{dtype} tensor", _signed(TensorSpec(np_type, (-1, 2)))
        yield f"{dtype} vector", _signed(TensorSpec(np_type, (-1,)))
        two = TensorSpec(np_type, (-1,), "a"), TensorSpec(np.dtype("float64"), (-1, 1), "b")
        yield f"{dtype} named tensors", _signed(*two)
        yield f"{dtype} named tensor", _signed(TensorSpec(np_type, (-1, 2), "a"))


def _signed(*inputs: ColSpec | TensorSpec) -> ModelSignature:
    return ModelSignature(inputs=Schema(list(inputs)))


VALUES: tuple[Any, ...] = (
    *(True, False, 0, 1, 2, -1, 1.0, 1.5, 2**31, 2**53 + 1, 2**63, 2**64 - 1, math.nan, math.inf),
    *("", "x", "5", "aGVsbG8=", "2020-01-01", "2020-01-01T01:02:03Z", "1e3", "true"),
    *({"name": "x", "when": "2026-03-01T12:30:00Z"}, {"x": 1, "y": 2}),
    *(None, [1, 2], ["x", "y"], [[1.5]], {"x": 1}, {"x": "x", "z": None}, []),
)


class Thing(pydantic.BaseModel):
    """What models with type hints take, and answer."""

    name: str
    when: datetime.datetime


HINTS = {
    "int": list[int],
    "float": list[float],
    "str": list[str],
    "bool": list[bool],
    "datetime": list[datetime.datetime],
    "bytes": list[bytes],
    "list": list[list[int]],
    "dict": list[dict[str, int]],
    "pydantic": list[Thing],
    "any": list[Any],
}


def bodies(value: Any) -> Iterator[tuple[str, Any]]:
    """Requests of every form that bring a value, by name."""
    pairs = [[value, 1.5], [value, 2]]
    yield "split", {"dataframe_split": {"columns": ["a", "b"], "data": pairs}}
    yield "split of one", {"dataframe_split": {"columns": ["a"], "data": [[value]]}}
    yield "split reversed", {"dataframe_split": {"columns": ["b", "a"], "data": [[1, value]]}}
    yield (
        "split and more",
        {
            "dataframe_split": {
                "columns": ["a", "c", "b"],
                "index": [3],
                "data": [[value, value, 1]],
            }
        },
    )
    yield "split by number", {"dataframe_split": {"columns": [0, 1], "data": pairs}}
    yield "split by text", {"dataframe_split": {"columns": ["0", "1"], "data": pairs}}
    yield "split without names", {"dataframe_split": {"data": pairs}}
    yield "split flat", {"dataframe_split": {"columns": ["a"], "data": [value, value]}}
    yield "records", {"dataframe_records": [{"a": value, "b": 1.5}, {"b": 2, "a": value}]}
    yield "record of one", {"dataframe_records": [{"a": value}]}
    yield "records that lack", {"dataframe_records": [{"a": value, "b": 1.5}, {"b": 2}]}
    for form in ("instances", "inputs"):
        yield f"{form} of rows", {form: [{"a": value, "b": 1.5}, {"a": value, "b": 2}]}
        yield f"{form} of a row", {form: [{"a": value}]}
        yield f"{form} that lack", {form: [{"a": value, "b": 1.5}, {"b": 2}]}
        yield f"{form} by name", {form: {"a": [value, value], "b": [1.5, 2]}}
        yield f"{form} by name, nested", {form: {"a": [[value], [value]], "b": [[1], [2]]}}
        yield f"{form} of one name", {form: {"a": [value, value]}}
        yield f"{form} by name, scalars", {form: {"a": value, "b": 1.5}}
        yield f"{form} by name, mixed", {form: {"a": [value, value], "b": 1}}
        yield f"{form} by name, uneven", {form: {"a": [value, value], "b": [1]}}
        yield f"{form} of pairs", {form: [[value, value], [value, value]]}
        yield f"{form} of triples", {form: [[value, value, value]]}
        yield f"{form} of mixed pairs", {form: [[value, 1.5]]}
        yield f"{form} of singles", {form: [[value], [value]]}
        yield f"{form} flat", {form: [value, value]}
        yield f"{form} ragged", {form: [[value], [value, value]]}
        yield f"{form} alone", {form: value}
        yield f"{form} of none", {form: []}
    yield "params", {"inputs": [value], "params": {"p": value}}


def csvs(value: Any) -> Iterator[tuple[str, bytes]]:
    """CSV of every form that brings a value, by name."""
    cell = "" if value is None else str(value)
    if isinstance(value, (list, dict)):
        cell = '"' + json.dumps(value).replace('"', '""') + '"'
    yield "csv", f"a,b\n{cell},1.5\n{cell},2\n".encode()
    yield "csv of one", f"a\n{cell}\n".encode()
    yield "csv of numbers", f"1,2\n{cell},3\n".encode()


def results() -> dict[str, Any]:
    """Predictions of every kind, by name."""
    when = datetime.datetime(2026, 3, 1, 12, 30, tzinfo=datetime.UTC)
    thing = Thing(name="x", when=when)
    numbers = {f"array of {d}": np.array([[1, 0], [0, 1]], dtype=d) for d in NUMBERS}
    return numbers | {
        "infinities": np.array([np.inf, -np.inf, 1.5]),
        "infinities in a list": [math.inf, 1],
        "infinity in an array of a dict": {"a": np.array([np.inf])},
        "infinity in a frame": pd.DataFrame({"a": [math.inf, 1.0]}),
        "not a number": np.array([math.nan, 1.0]),
        "not a number in a list": [math.nan, None, "null"],
        "texts": np.array(["x", "ü"]),
        "objects": np.array(["x", None, 1, np.float32(1.5)], dtype=object),
        "nested objects": np.array([[1, "x"], [None, b"x"]], dtype=object),
        "bytes": [b"x", b"\xff"],
        "array of bytes": np.array([b"x"], dtype=object),
        "no dimension": np.array(1.5),
        "a number": 1.5,
        "a number of NumPy": np.int64(3),
        "a text": "x",
        "nothing": None,
        "a truth": True,
        "large whole numbers": [2**64, -(2**70)],
        "large unsigned": np.array([2**64 - 1], dtype="uint64"),
        "days": np.array(["2026-03-01"], dtype="datetime64[D]"),
        "times": np.array(["2026-03-01T12:30", "NaT"], dtype="datetime64[us]"),
        "times in nanoseconds": np.array(["2026-03-01", "NaT"], dtype="datetime64[ns]"),
        "a time": when,
        "a day": when.date(),
        "an hour": when.time(),
        "a Timestamp": pd.Timestamp(when),
        "pydantic": thing,
        "list of pydantic": [thing],
        "pydantic in a dict": {"a": thing},
        "dict": {"a": [1], "b": {"c": np.array([1.5])}},
        "numbers as keys": {1: "a", 2: "b"},
        "floats as keys": {1.5: "a"},
        "truths as keys": {True: "a"},
        "nothing as key": {None: "a"},
        "keys of NumPy": dict(zip(np.array(["x", "y"]), np.array([0.25, 0.75]), strict=True)),
        "list of dicts of numbers": [{1: 0.5}, {2: 0.5}],
        "tuple": (1, (2, 3)),
        "list of arrays": [np.array([1, 2]), np.array([[1.5]])],
        "masked": np.ma.array([1, 2], mask=[True, False]),
        "masked in a list": [np.ma.array([1.5, 2], mask=[True, False])],
        "frame": pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
        "frame of numbered columns": pd.DataFrame([[1, 2], [3, 4]]),
        "frame of truths": pd.DataFrame({"a": [True, False]}),
        "frame of times": pd.DataFrame({"a": pd.to_datetime(["2026-03-01"])}),
        "frame of lists": pd.DataFrame({"a": [[1, 2], np.array([3])]}),
        "frame with an index": pd.DataFrame({"a": [1]}, index=["x"]),
        "empty frame": pd.DataFrame({"a": []}),
        "Series": pd.Series([1, 2]),
        "named Series": pd.Series([1.5, 2], name="x"),
        "empty": [],
        "empty array": np.array([]),
        "half a surrogate pair": "\ud800",
        "a set": {1},
        "complex": [1j],
        "an object": object(),
    }


def estimators() -> Iterator[tuple[str, Any, Any, ModelSignature | None]]:
    """scikit-learn's models: a name, the estimator, the rows it was trained on, its signature."""
    numbers = pd.DataFrame({"a": [0.0, 1.0, 0.0, 3.0], "b": [0.5, 0.0, 1.0, 2.0]})
    target = [0, 1, 0, 1]
    for kind in ("double", "float", "long", "integer", "boolean"):
        rows = numbers.assign(a=numbers["a"].astype(DataType[kind].to_numpy()))
        fitted = LinearRegression().fit(rows, target)
        yield f"{kind} and double", fitted, rows, infer_signature(rows, target)
        if kind != "double":
            both = rows.assign(b=numbers["b"].astype(DataType[kind].to_numpy()))
            fitted = LinearRegression().fit(both, target)
            yield f"{kind} columns", fitted, both, infer_signature(both, target)
        single = rows[["a"]]
        fitted = LinearRegression().fit(single, target)
        yield f"{kind} only column", fitted, single, infer_signature(single, target)
    optional = _signed(ColSpec("double", "a", required=False), ColSpec("double", "b"))
    yield (
        "optional column",
        HistGradientBoostingClassifier().fit(numbers, target),
        numbers,
        optional,
    )
    for dtype in ("float64", "float32", "int64", "int32", "uint8", "bool"):
        x = numbers.to_numpy().astype(dtype)
        fitted = LogisticRegression().fit(x, target)
        yield f"{dtype} tensor", fitted, x, infer_signature(x, target)
    x = numbers.to_numpy()
    unnamed = _signed(ColSpec("double"), ColSpec("double"))
    yield "unnamed columns", LinearRegression().fit(x, target), x, unnamed
    numbered = pd.DataFrame(x)
    fitted = LinearRegression().fit(x, target)
    yield "numbered columns", fitted, numbered, infer_signature(numbered, target)
    yield "unsigned, trained on an array", LinearRegression().fit(x, target), x, None
    yield "unsigned, trained on a frame", LinearRegression().fit(numbers, target), numbers, None
    other = LinearRegression().fit(numbers[["b", "a"]], target)
    yield "columns in another order", other, numbers, infer_signature(numbers, target)
    mixed = pd.DataFrame({"a": ["x", "y", "x", "5"], "b": [1.0, 2.0, 3.0, 4.0]})
    encoder = make_column_transformer((OneHotEncoder(), ["a"]), (StandardScaler(), ["b"]))
    fitted = make_pipeline(encoder, LogisticRegression()).fit(mixed, target)
    yield "text and number", fitted, mixed, infer_signature(mixed, target)
    yield "text and number, unsigned", fitted, mixed, None
    texts = ["x y", "y z", "x x", "z 5"]
    fitted = make_pipeline(CountVectorizer(token_pattern="."), LogisticRegression())
    fitted.fit(texts, target)
    yield "texts, unsigned", fitted, texts, None
    yield "texts as an array", fitted, texts, infer_signature(np.array(texts), target)
    categories = pd.DataFrame({"a": ["x", "y", "x", "5"], "b": ["1.5", "2", "3", "1.5"]})
    coder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    fitted = make_pipeline(coder, LinearRegression()).fit(categories, target)
    yield "texts in columns", fitted, categories, infer_signature(categories, target)
