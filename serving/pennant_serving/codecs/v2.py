"""Open Inference Protocol V2, JSON: tensors to rows, and predictions to tensors.

Several tensors are columns by name. One tensor is positional rows (a vector: one value per row),
unless the request says `"parameters": {"content_type": "pd"}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pennant_serving.codecs import tensors
from pennant_serving.codecs.jsonio import dump, load_object
from pennant_serving.errors import InvalidInput
from pennant_serving.rows import Rows


@dataclass(frozen=True)
class InferRequest:
    """What a client asked."""

    rows: Rows
    id: str | None
    outputs: tuple[str, ...]
    """The outputs it wants; empty means all."""


def decode(body: bytes) -> InferRequest:
    """A request for inference. Raises InvalidInput."""
    content = load_object(body)
    inputs = content.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise InvalidInput("inputs must be a list of at least one tensor")
    parameters = content.get("parameters") or {}
    as_columns = len(inputs) > 1 or parameters.get("content_type") == "pd"
    read = [tensors.read(tensor) for tensor in inputs]
    return InferRequest(
        rows=_columns(read) if as_columns else Rows(read[0].rows),
        id=content.get("id"),
        outputs=_names(content.get("outputs") or []),
    )


def encode(result: Any, request: InferRequest, model: str, version: str) -> bytes:
    """The body of a response.

    Raises InvalidInput when the request wants an output that the model does not have, PredictFailed
    for predictions that are no tensor.
    """
    outputs = [tensors.write(name, values) for name, values in _named(result)]
    if request.outputs:
        outputs = _wanted(outputs, request.outputs)
    content = {"model_name": model, "model_version": version, "outputs": outputs}
    return dump(content | ({"id": request.id} if request.id is not None else {}))


def _columns(read: list[tensors.Tensor]) -> Rows:
    if len({len(tensor.rows) for tensor in read}) != 1:
        sizes = ", ".join(f"{tensor.name}: {len(tensor.rows)}" for tensor in read)
        raise InvalidInput(f"all tensors must have the same number of rows ({sizes})")
    columns = [tensor.scalars for tensor in read]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return Rows(rows, tuple(tensor.name for tensor in read))


def _names(outputs: Any) -> tuple[str, ...]:
    if not isinstance(outputs, list) or not all(isinstance(each, dict) for each in outputs):
        raise InvalidInput("outputs must be a list of objects with a name")
    return tuple(str(each.get("name")) for each in outputs)


def _named(result: Any) -> list[tuple[str, Any]]:
    if isinstance(result, dict):
        return [(str(name), values) for name, values in result.items()]
    if hasattr(result, "columns") and hasattr(result, "to_dict"):  # a DataFrame
        return [(str(name), result[name].to_numpy()) for name in result.columns]
    return [("predict", result)]


def _wanted(outputs: list[dict[str, Any]], names: tuple[str, ...]) -> list[dict[str, Any]]:
    by_name = {output["name"]: output for output in outputs}
    if unknown := [name for name in names if name not in by_name]:
        raise InvalidInput(
            f"there is no output {', '.join(unknown)}; the model has {', '.join(by_name)}"
        )
    return [by_name[name] for name in names]
