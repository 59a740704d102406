"""What the server and its model say about themselves, in V2's words."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from pennant_serving.codecs.datatypes import MLFLOW_TYPES
from pennant_serving.model.model import Model

SERVER = {
    "name": "pennant-serving",
    "version": version("pennant"),
    "extensions": ["binary_tensor_data"],
}
ANSWER_ARRAYS = ("sklearn", "xgboost", "lightgbm")
"""Adapters whose predictions have no name."""


def of_model(model: Model) -> dict[str, Any]:
    """Outputs are those of the answer to the input example; without one they come from the
    signature, as inputs do. Empty lists mean that there is none."""
    mlmodel = model.bundle.mlmodel
    outputs = [*model.answered] or _signed_outputs(model)
    further = [
        {"name": name, "datatype": each.datatype, "shape": list(each.shape)}
        for name, each in model.further.items()
    ]
    inputs = enumerate(mlmodel.inputs if mlmodel else ())
    return {
        "name": model.name,
        "versions": [model.version],
        "platform": model.adapter_name,
        "inputs": [_tensor(each, f"input-{place}") for place, each in inputs],
        "outputs": outputs + further,
    }


def _signed_outputs(model: Model) -> list[dict[str, Any]]:
    mlmodel = model.bundle.mlmodel
    outputs = [_tensor(each, "predict") for each in mlmodel.outputs] if mlmodel else []
    is_array = model.adapter_name in ANSWER_ARRAYS and bool(outputs)
    return [_one_array(outputs)] if is_array else outputs


def _one_array(outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """The columns of the answer as the one array that they are, whatever they were called in
    training."""
    first = outputs[0] | {"name": "predict"}
    return first if len(outputs) == 1 else first | {"shape": [-1, len(outputs)]}


def _tensor(entry: dict[str, Any], unnamed: str) -> dict[str, Any]:
    spec = entry.get("tensor-spec")
    datatype = MLFLOW_TYPES.get(str(spec["dtype"] if spec else entry["type"]), "BYTES")
    shape = spec["shape"] if spec else [-1]
    name = entry.get("name")
    return {"name": unnamed if name is None else str(name), "datatype": datatype, "shape": shape}
