"""Requests that the loaded model answers, made from its input example or else its signature."""

from __future__ import annotations

from typing import Any

from pennant_serving.bundle.mlmodel import MLmodel
from pennant_serving.codecs.datatypes import MLFLOW_TYPES
from pennant_serving.model import metadata
from pennant_serving.model.model import Model
from pennant_serving.rows import Prepared, Rows

EXAMPLE_ROWS = 2
"""An example shall be read, and some models come with one of a thousand rows."""
ZEROS: dict[str, Any] = {"BOOL": False, "FP16": 0.5, "FP32": 0.5, "FP64": 0.5, "BYTES": "text"}
"""The rest are whole numbers."""


def rows_of(model: Model) -> Rows | None:
    """Rows that this model takes, or None when nothing says what it takes."""
    example = model.adapter.input_example
    if example is not None:
        rows = example.rows() if isinstance(example, Prepared) else Rows.of(example)
        return Rows(rows.values[:EXAMPLE_ROWS], rows.columns)
    mlmodel = model.bundle.mlmodel
    if mlmodel is None or not mlmodel.columns:
        return None
    row = [ZEROS.get(MLFLOW_TYPES.get(each.type, "BYTES"), 1) for each in mlmodel.columns]
    return Rows([row], mlmodel.names or None)


def invocation(rows: Rows, mlmodel: MLmodel | None) -> dict[str, Any]:
    """A body for /invocations."""
    values = _plain(rows.values)
    if rows.columns is not None:
        return {"dataframe_split": {"columns": list(rows.columns), "data": values}}
    return {"inputs" if mlmodel and mlmodel.from_type_hint else "instances": values}


def inference(rows: Rows, model: Model) -> dict[str, Any]:
    """A body for V2's infer."""
    known = {each["name"]: each["datatype"] for each in metadata.of_model(model)["inputs"]}
    values = _plain(rows.values)
    if rows.columns is None:
        name = next(iter(known), "input-0")
        return {"inputs": [_tensor(name, values, known.get(name))]}
    columns = zip(rows.columns, zip(*values, strict=True), strict=True)
    inputs = [_tensor(name, list(column), known.get(name)) for name, column in columns]
    single = {"parameters": {"content_type": "pd"}} if len(inputs) == 1 else {}
    return single | {"inputs": inputs}


def _tensor(name: str, values: list[Any], datatype: str | None) -> dict[str, Any]:
    shape, flat = [len(values)], values
    while flat and isinstance(flat[0], list):
        shape.append(len(flat[0]))
        flat = [value for row in flat for value in row]
    kind = datatype or _datatype(flat)
    data = [str(value) for value in flat] if kind == "BYTES" else flat
    return {"name": name, "shape": shape, "datatype": kind, "data": data}


def _datatype(flat: list[Any]) -> str:
    for kind, datatype in ((bool, "BOOL"), (int, "INT64"), ((int, float), "FP64")):
        if all(isinstance(value, kind) for value in flat):
            return datatype
    return "BYTES"


def _plain(values: Any) -> list[Any]:
    """The rows as JSON has them, also when the example is an array."""
    return values.tolist() if hasattr(values, "tolist") else list(values)
