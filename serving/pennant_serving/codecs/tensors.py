"""A V2 request's tensors: name, datatype, shape, and elements that fit them."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from reprlib import repr as shown
from typing import Any

import numpy as np

from pennant_serving.codecs import binary, datatypes
from pennant_serving.errors import InvalidInput

DIMENSION_LIMIT = 32
"""NumPy's own limit is 64, and no model comes near either."""


@dataclass(frozen=True)
class Head:
    """What is said about an input before its elements."""

    name: str
    datatype: str
    shape: Sequence[int]
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Tensor:
    """One input: a row is what lies at one index of the first dimension."""

    name: str
    rows: Any
    """An array of numbers, or a list: of texts, of bytes, or of lists of them."""

    @property
    def column(self) -> Any:
        """An array with one entry for each row: a matrix of one column counts as a vector."""
        if not isinstance(self.rows, np.ndarray):
            single = all(isinstance(row, list) and len(row) == 1 for row in self.rows)
            return binary.objects([row[0] for row in self.rows] if single else self.rows)
        is_column = self.rows.ndim == 2 and self.rows.shape[1] == 1
        return self.rows[:, 0] if is_column else self.rows


def head(tensor: Any) -> Head:
    """The name, type and shape of a request's tensor. Raises InvalidInput."""
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        raise InvalidInput("each input must be an object with name, shape, datatype and data")
    name, shape = tensor["name"], tensor.get("shape")
    if not isinstance(shape, list) or not all(_is_size(size) for size in shape):
        raise InvalidInput(f"input {name!r}: shape must be a list of sizes, not {shown(shape)}")
    parameters = tensor.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise InvalidInput(f"input {name!r}: parameters must be an object")
    datatype = tensor.get("datatype")
    if not isinstance(datatype, str):
        raise InvalidInput(f"input {name!r}: datatype must be a text, not {shown(datatype)}")
    return checked(Head(name, datatype, shape, parameters))


def checked(described: Head) -> Head:
    """The same. Raises InvalidInput for a type that there is not, or a tensor without elements."""
    name = described.name
    if len(described.shape) > DIMENSION_LIMIT:
        message = f"{len(described.shape)} dimensions are more than {DIMENSION_LIMIT}"
        raise InvalidInput(f"input {name!r}: {message}")
    shape = list(described.shape)
    if described.datatype not in datatypes.NAMES:
        known = ", ".join(datatypes.NAMES)
        raise InvalidInput(f"input {name!r}: datatype {described.datatype!r} is none of {known}")
    if not shape or min(shape) < 1:
        raise InvalidInput(f"input {name!r}: shape {shape} has no elements")
    refuse_shared_memory(f"input {name!r}", described.parameters)
    return described


def refuse_shared_memory(what: str, parameters: Mapping[str, Any]) -> None:
    """Raises InvalidInput for a tensor that lies, or shall be written, elsewhere."""
    if any(name.startswith("shared_memory_") for name in parameters):
        raise InvalidInput(f"{what}: shared memory is not supported: send and take it as data")


def of_raw(described: Head, raw: binary.Buffer) -> Tensor:
    """The tensor whose elements are these bytes. Raises InvalidInput."""
    elements = binary.read(described.name, described.datatype, described.shape, raw)
    if described.datatype != "BYTES":
        return Tensor(described.name, elements)
    return of_flat(described, elements.ravel().tolist())


def of_flat(described: Head, flat: list[Any]) -> Tensor:
    """The tensor of these elements, in row-major order, which are of its datatype. Raises
    InvalidInput."""
    name, shape = described.name, list(described.shape)
    if len(flat) != math.prod(shape):
        message = f"shape {shape} wants {math.prod(shape)} values, data holds {len(flat)}"
        raise InvalidInput(f"input {name!r}: {message}")
    if described.datatype != "BYTES":
        try:
            elements = np.array(flat, dtype=datatypes.DTYPES[described.datatype])
        except OverflowError as error:
            message = f"not all are {described.datatype}: {error}"
            raise InvalidInput(f"input {name!r}: {message}") from error
        return Tensor(name, elements.reshape(shape))
    if described.parameters.get("content_type") == "base64":
        flat = [_decoded(name, value) for value in flat]
    for size in reversed(shape[1:]):
        flat = [flat[start : start + size] for start in range(0, len(flat), size)]
    return Tensor(name, flat)


def _is_size(size: Any) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and size >= 0


def _decoded(name: str, value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"input {name!r}: an element is not base64: {error}") from error
