"""Rows to the arrays and frames that libraries take, with errors that name the column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pennant_serving.errors import InvalidInput
from pennant_serving.mlmodel import Column, MLmodel
from pennant_serving.rows import Rows

FRAME_TYPES = {
    "integer": "int32",
    "float": "float32",
    "double": "float64",
    "datetime": "datetime64[ns]",
}
"""JSON has one kind of number. Types that are absent here come out right by themselves."""

COLUMN_DTYPES = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
}
"""The columns of the frame that MLflow makes; scikit-learn makes one array of their common type."""

NUMBERS = ("int32", "float32", "float64")


def ordered(rows: Rows, names: tuple[str, ...], *, required: frozenset[str]) -> Rows:
    """The rows with the model's columns in the model's order. Raises InvalidInput."""
    if rows.columns == names:
        return rows
    if rows.columns is None:
        return _named(rows, names)
    _check_columns(rows.columns, names, required)
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


def frame(rows: Rows, columns: tuple[Column, ...]) -> Any:
    """A DataFrame with the types of the signature. Raises InvalidInput."""
    import pandas as pd

    names = rows.columns
    if names is None or len(set(names)) < len(names):
        return pd.DataFrame(rows.values, columns=None if names is None else list(names))
    types = {column.name: FRAME_TYPES.get(column.type) for column in columns}
    values = rows.values
    arrays = values.T if isinstance(values, np.ndarray) else zip(*values, strict=True)
    # Changing the types of a frame's columns would take six times as long as making it.
    return pd.DataFrame(
        {
            name: _typed(name, each, types.get(name))
            for name, each in zip(names, arrays, strict=True)
        }
    )


def _typed(name: str, values: Sequence[Any], dtype: str | None) -> Any:
    """A column of a frame, of any type when the signature says none."""
    if dtype is None:
        return values if isinstance(values, np.ndarray) else list(values)
    import pandas as pd

    try:
        if dtype not in NUMBERS:
            return pd.Series(values).astype(dtype)
        if (array := np.asarray(values, dtype=dtype)).ndim == 1:
            return array
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidInput(f"column {name!r} is not {dtype}: {error}") from error
    raise InvalidInput(f"column {name!r} is not {dtype}: its values are lists")


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
        if len(row) != len(names):
            raise InvalidInput(
                f"rows have {len(row)} values, but the model takes {len(names)} columns:"
                f" {', '.join(names)}"
            )
    return Rows(values, names)


def _check_columns(
    given: tuple[str, ...], names: tuple[str, ...], required: frozenset[str]
) -> None:
    """Columns that the model does not know are left out, as MLflow does."""
    if missing := [name for name in names if name in required and name not in given]:
        raise InvalidInput(
            f"missing columns: {', '.join(missing)}; the model takes {', '.join(names)}"
        )
