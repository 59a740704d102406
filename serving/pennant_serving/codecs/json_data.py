"""The data of a V2 tensor as JSON: nested or flat, each element of the type that was said."""

from __future__ import annotations

import math
from reprlib import repr as shown
from typing import Any

import numpy as np

from pennant_serving.codecs.datatypes import DTYPES
from pennant_serving.codecs.tensors import Head
from pennant_serving.errors import InvalidInput


def flat(described: Head, data: Any) -> list[Any]:
    """The elements in row-major order. Raises InvalidInput, naming the tensor."""
    values = list(data) if isinstance(data, list) else []
    for _ in described.shape:
        if not values or not isinstance(values[0], list):
            break
        values = [each for row in values for each in (row if isinstance(row, list) else [row])]
    if described.datatype.startswith("FP"):  # NaN, as our answers write it
        values = [math.nan if value is None else value for value in values]
    wanted = _python_types(described.datatype)
    for value in values:
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise _not_of_type(described, value)
    _check_range(described, values)
    return values


def _python_types(datatype: str) -> type | tuple[type, ...]:
    kind = DTYPES[datatype].kind if datatype in DTYPES else "O"
    return _PYTHON_TYPES[kind]


_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "b": bool,
    "i": int,
    "u": int,
    "f": (int, float),
    "O": str,
}


def _check_range(described: Head, values: list[Any]) -> None:
    if not values or "INT" not in described.datatype:
        return
    limits = np.iinfo(described.datatype.lower())
    for value in (min(values), max(values)):
        if not limits.min <= value <= limits.max:
            raise _not_of_type(described, value)


def _not_of_type(described: Head, value: Any) -> InvalidInput:
    return InvalidInput(f"input {described.name!r}: {shown(value)} is not {described.datatype}")
