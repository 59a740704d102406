"""Rows to the arrays that libraries take, with errors that name the column."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from typing import Any

import numpy as np

from pennant_serving.bundle.mlmodel import MLmodel
from pennant_serving.errors import InvalidInput, Unfit
from pennant_serving.rows import Rows

COLUMN_DTYPES = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
}
"""The columns of the frame that MLflow makes; scikit-learn makes one array of their common type."""


def ordered(rows: Rows, names: tuple[str, ...], *, required: frozenset[str]) -> Rows:
    """The rows with the model's columns in the model's order. Raises InvalidInput."""
    if rows.columns == names:
        return rows
    if rows.columns is None:
        return _named(rows, names)
    check_columns(rows.columns, names, required)
    present = tuple(name for name in names if name in rows.columns)
    places = [rows.columns.index(name) for name in present]
    return Rows([[row[place] for place in places] for row in rows.values], present)


def array(values: Sequence[Any], dtype: str | None) -> np.ndarray[Any, Any]:
    """An array of numbers, or of objects when it is not numbers. Raises InvalidInput."""
    try:
        result = np.asarray(values, dtype=dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidInput(f"the rows are not a table of {dtype or 'values'}: {error}") from error
    return result if result.dtype.kind in "biuf" else result.astype(object)


def numbers(data: Any, names: Sequence[str], dtype: str | None) -> np.ndarray[Any, Any]:
    """A frame's columns of these names, or an array, as numbers. Raises InvalidInput."""
    if hasattr(data, "columns") and names and set(names) <= {*data.columns}:
        data = data[[*names]]
    return array(data, dtype)


def finite(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same. Raises InvalidInput for infinities."""
    if np.isinf(rows).any():
        raise InvalidInput("the model takes no infinities: what is missing is null, or NaN")
    return rows


def check_width(width: int, names: Sequence[Any]) -> None:
    """Raises InvalidInput for rows of more or fewer values than there are columns."""
    if width != len(names):
        takes = ", ".join(map(str, names))
        message = f"rows have {width} values, but the model takes {len(names)} columns: {takes}"
        raise Unfit(message)


def check_columns(given: Collection[Any], names: Sequence[Any], required: Container[Any]) -> None:
    """Columns that the model does not know are left out, as MLflow does. Raises InvalidInput for
    required ones that are missing."""
    if missing := [str(name) for name in names if name in required and name not in given]:
        takes = ", ".join(map(str, names))
        has = ", ".join(map(str, given)) or "none"
        raise Unfit(
            f"missing columns: {', '.join(missing)}; the model takes {takes}; the request has {has}"
        )


def dtype_of(mlmodel: MLmodel) -> str | None:
    """The type of a model's one array, or None when only the values can tell."""
    if len(mlmodel.tensors) == 1:
        return str(mlmodel.tensors[0]["tensor-spec"]["dtype"])
    if not mlmodel.is_numeric:
        return None
    return str(np.result_type(*(COLUMN_DTYPES[column.type] for column in mlmodel.columns)))


def named_arrays(rows: Rows, tensors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Each column as an array, of the type of the tensor of its name. Raises InvalidInput."""
    types = {each.get("name"): each["tensor-spec"]["dtype"] for each in tensors}
    columns = zip(rows.columns or (), zip(*rows.values, strict=True), strict=True)
    return {name: array(values, types.get(name)) for name, values in columns}


def _named(rows: Rows, names: tuple[str, ...]) -> Rows:
    if isinstance(rows.values, np.ndarray) and rows.values.shape[1:] == (len(names),):
        return Rows(rows.values, names)
    values = [row if isinstance(row, list) else [row] for row in rows.values]
    for row in values:
        check_width(len(row), names)
    return Rows(values, names)
