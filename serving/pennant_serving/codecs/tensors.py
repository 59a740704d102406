"""V2 tensors: name, shape, datatype, data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pennant_serving.codecs.jsonio import dump
from pennant_serving.errors import InvalidInput

PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "BOOL": bool,
    **dict.fromkeys(("INT8", "INT16", "INT32", "INT64"), int),
    **dict.fromkeys(("UINT8", "UINT16", "UINT32", "UINT64"), int),
    **dict.fromkeys(("FP16", "FP32", "FP64"), (int, float)),
    "BYTES": str,
}
KINDS = {"b": "BOOL", "i": "INT", "u": "UINT", "f": "FP"}


@dataclass(frozen=True)
class Tensor:
    """One input: a row is what lies at one index of the first dimension."""

    name: str
    rows: list[Any]

    @property
    def scalars(self) -> list[Any]:
        """The rows of a vector, or of a matrix of one column, as plain values."""
        return [row[0] if isinstance(row, list) and len(row) == 1 else row for row in self.rows]


def read(tensor: Any) -> Tensor:
    """A tensor of a request. Raises InvalidInput, naming the tensor."""
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        raise InvalidInput("each input must be an object with name, shape, datatype and data")
    name, shape = tensor["name"], tensor.get("shape")
    if not isinstance(shape, list) or not shape or not all(_is_size(size) for size in shape):
        raise InvalidInput(f"input {name!r}: shape must be a list of sizes, not {shape!r}")
    flat = _flat(tensor.get("data"))
    if len(flat) != math.prod(shape) or not flat:
        message = f"shape {shape} wants {math.prod(shape)} values, data holds {len(flat)}"
        raise InvalidInput(f"input {name!r}: {message}")
    _check_type(name, tensor.get("datatype"), flat)
    return Tensor(name, _nested(flat, shape))


def write(name: str, values: Any) -> dict[str, Any]:
    """A tensor of a response. Rows that make no regular array become one JSON text each."""
    array = _array(values)
    kind = KINDS.get(array.dtype.kind)
    datatype = "BYTES" if kind is None else kind
    if kind in ("INT", "UINT", "FP"):
        datatype += str(array.dtype.itemsize * 8)
    data = _texts(array) if kind is None else array.ravel()
    return {"name": name, "shape": list(array.shape), "datatype": datatype, "data": data}


def _texts(array: np.ndarray[Any, Any]) -> list[str]:
    flat = array.ravel().tolist()
    return [value if isinstance(value, str) else dump(value).decode() for value in flat]


def _array(values: Any) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        array = np.empty(len(values), dtype=object)
        array[:] = values
    return array if array.ndim else array.reshape(1)


def _is_size(size: Any) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and size >= 0


def _flat(data: Any) -> list[Any]:
    """V2 allows nested data as well as flat."""
    flat = list(data) if isinstance(data, list) else []
    while flat and isinstance(flat[0], list):
        flat = [value for row in flat for value in (row if isinstance(row, list) else [row])]
    return flat


def _check_type(name: str, datatype: Any, flat: list[Any]) -> None:
    wanted = PYTHON_TYPES.get(str(datatype))
    if wanted is None:
        known = ", ".join(PYTHON_TYPES)
        raise InvalidInput(f"input {name!r}: datatype {datatype!r} is none of {known}")
    for value in flat:
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise InvalidInput(f"input {name!r}: {value!r} is not {datatype}")


def _nested(flat: list[Any], shape: list[int]) -> list[Any]:
    for size in reversed(shape[1:]):
        flat = [flat[start : start + size] for start in range(0, len(flat), size)]
    return flat
