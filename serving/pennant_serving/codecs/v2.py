"""Open Inference Protocol V2 over HTTP: tensors to rows, and predictions to tensors.

Several tensors are columns by name. One tensor is positional rows (a vector: one value per row),
unless the request says `"parameters": {"content_type": "pd"}`. With the binary tensor extension the
JSON is followed by the bytes of the tensors that have a `binary_data_size`, one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from reprlib import repr as shown
from typing import Any

import numpy as np

from pennant_serving.codecs import json_data, tensors
from pennant_serving.codecs.jsonio import dump, load_object
from pennant_serving.codecs.outputs import outputs_of
from pennant_serving.codecs.tensors import Tensor
from pennant_serving.errors import InvalidInput
from pennant_serving.rows import Columns, Rows


@dataclass(frozen=True)
class InferRequest:
    """What a client asked."""

    rows: Rows
    id: str | int | None
    outputs: tuple[str, ...]
    """The outputs it wants; empty means the model's usual ones."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    binary: bool = False
    """Whether outputs come as bytes, those aside of which the request says otherwise."""
    binary_outputs: Mapping[str, bool] = field(default_factory=dict)
    tensors: tuple[str, ...] = ()
    """The names of its inputs."""

    def is_binary(self, output: str) -> bool:
        return self.binary_outputs.get(output, self.binary)


def decode(body: bytes, header_length: int | None = None) -> InferRequest:
    """A request for inference, whose JSON has `header_length` bytes. Raises InvalidInput."""
    if header_length is not None and header_length > len(body):
        message = f"inference-header-content-length is {header_length}, the body has {len(body)}"
        raise InvalidInput(message)
    end = len(body) if header_length is None else header_length
    content = load_object(body[:end])
    inputs = content.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise InvalidInput("inputs must be a list of at least one tensor")
    parameters = _parameters(content)
    read = _tensors(inputs, memoryview(body)[end:])
    outputs = _outputs(content.get("outputs") or [])
    return InferRequest(
        rows=rows_of(read, parameters),
        id=_id(content),
        outputs=tuple(outputs),
        parameters=parameters,
        binary=parameters.get("binary_data_output") is True,
        binary_outputs={n: wanted for n, wanted in outputs.items() if wanted is not None},
        tensors=tuple(each.name for each in read),
    )


def rows_of(read: Sequence[Tensor], parameters: Mapping[str, Any]) -> Rows:
    """The rows that a request's tensors make. Raises InvalidInput."""
    if len(read) == 1 and parameters.get("content_type") != "pd":
        return Rows(read[0].rows)
    names = tuple(tensor.name for tensor in read)
    if len(set(names)) != len(names):
        raise InvalidInput(f"two inputs have the same name ({', '.join(names)})")
    columns = {tensor.name: tensor.column for tensor in read}
    if _is_table([*columns.values()]):
        table: Any = np.column_stack([*columns.values()])
        return Rows(table, names)
    return Columns(columns)


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Raises InvalidInput for a request that needs to be answered after another."""
    if parameters.get("sequence_id"):
        raise InvalidInput("sequence_id: sequences are not supported: each request stands alone")


def check_output(name: str, parameters: Mapping[str, Any]) -> None:
    """Raises InvalidInput for an output that is wanted as something else than its values."""
    if "classification" in parameters:
        raise InvalidInput(f"output {name!r}: classification is not supported: ask predict_proba")
    tensors.refuse_shared_memory(f"output {name!r}", parameters)


def encode(result: Any, request: InferRequest, model: str, version: str) -> bytes:
    """The JSON of a response, as `encode_mixed` makes it for a request without binary outputs."""
    return b"".join(encode_mixed(result, request, model, version))


def encode_mixed(result: Any, request: InferRequest, model: str, version: str) -> list[bytes]:
    """The parts of a response's body: JSON, then the bytes of each binary output.

    Raises InvalidInput when the request wants an output that the model does not have, PredictFailed
    for predictions that are no tensor.
    """
    described, parts = [], []
    for output in outputs_of(result, request.outputs):
        if not request.is_binary(output.name):
            described.append(output.json())
            continue
        parts.append(output.raw())
        described.append(output.head | {"parameters": {"binary_data_size": len(parts[-1])}})
    content = {"model_name": model, "model_version": version, "outputs": described}
    return [dump(content | ({"id": request.id} if request.id is not None else {})), *parts]


def _tensors(inputs: list[Any], rest: memoryview) -> list[Tensor]:
    read, place = [], 0
    for each in inputs:
        described = tensors.head(each)
        size = described.parameters.get("binary_data_size")
        if size is None:
            read.append(tensors.of_flat(described, json_data.flat(described, each.get("data"))))
            continue
        if not isinstance(size, int) or not 0 <= size <= len(rest) - place:
            message = f"binary_data_size is {shown(size)}, but {len(rest) - place} bytes are left"
            raise InvalidInput(f"input {described.name!r}: {message}")
        read.append(tensors.of_raw(described, rest[place : place + size]))
        place += size
    if place != len(rest):
        raise InvalidInput(f"{len(rest) - place} bytes after the last tensor belong to none")
    return read


def _parameters(content: dict[str, Any]) -> dict[str, Any]:
    parameters = content.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise InvalidInput("parameters must be an object")
    check_parameters(parameters)
    return parameters


def _id(content: dict[str, Any]) -> str | int | None:
    request_id = content.get("id")
    if request_id is not None and not isinstance(request_id, (str, int)):
        raise InvalidInput("id must be a text")
    return request_id


def _outputs(outputs: Any) -> dict[str, bool | None]:
    """The names of the outputs that are asked for, and whether each shall be bytes."""
    if not isinstance(outputs, list) or not all(_is_named(each) for each in outputs):
        raise InvalidInput("outputs must be a list of objects with a name")
    return {each["name"]: _wants_bytes(each) for each in outputs}


def _is_named(output: Any) -> bool:
    return isinstance(output, dict) and isinstance(output.get("name"), str)


def _wants_bytes(output: dict[str, Any]) -> bool | None:
    name, parameters = output["name"], output.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise InvalidInput(f"output {name!r}: parameters must be an object")
    check_output(name, parameters)
    wanted = parameters.get("binary_data")
    return wanted if isinstance(wanted, bool) else None


def _is_table(columns: Sequence[Any]) -> bool:
    """Whether one array can hold them: vectors of numbers of one type and length."""
    first = columns[0]
    return first.dtype != object and all(
        each.ndim == 1 and each.dtype == first.dtype and len(each) == len(first) for each in columns
    )
