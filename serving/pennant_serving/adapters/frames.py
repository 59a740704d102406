"""Rows to the frames and arrays of a library, with the types that they came with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pennant_serving.adapters import tables
from pennant_serving.errors import InvalidInput
from pennant_serving.rows import Columns, Rows

KINDS = "biu"
"""Of NumPy's types: booleans and whole numbers, which not every number fits."""


def frame(rows: Rows) -> Any:
    """A DataFrame; without names its columns are numbered."""
    if isinstance(rows, Columns):
        rows.check()
        return pd.DataFrame({name: _column(each) for name, each in rows.arrays.items()})
    values = rows.values
    if isinstance(values, np.ndarray):
        values = values.tolist() if values.ndim > 2 else values
    return pd.DataFrame(values, columns=None if rows.columns is None else list(rows.columns))


def array(rows: Rows) -> Any:
    """One array: of the rows' own type, or of objects."""
    if isinstance(rows, Columns):
        rows.check()
        return np.column_stack([*rows.arrays.values()])
    try:
        return np.asarray(rows.values)
    except ValueError as error:
        raise InvalidInput(f"the rows make no array: {error}") from error


def arrays(rows: Rows) -> dict[str, Any]:
    """An array for each column."""
    if isinstance(rows, Columns):
        return rows.arrays
    columns = zip(rows.columns or (), zip(*rows.values, strict=True), strict=True)
    return {name: np.asarray(values) for name, values in columns}


def by_place(table: Any, names: Sequence[Any]) -> Any:
    """The table with these names for its columns. Raises InvalidInput."""
    tables.check_width(table.shape[1], names)
    return table.set_axis([*names], axis=1)


def check_nothing_lost(name: Any, given: Any, cast: Any) -> None:
    """Raises InvalidInput when a column that became whole numbers or booleans is not what it was:
    a fraction is cut off there, a number too large starts anew, and null is taken as false."""
    if getattr(cast.dtype, "kind", "O") in KINDS and given.dtype != cast.dtype:
        _check(f"column {name!r}", given, cast)


def nothing_lost(given: Any, read: Any, *, nullable: bool) -> Any:
    """What MLflow has read of a JSON value, with nulls among texts where they are `nullable`: NumPy
    makes the text "None" of them. Raises InvalidInput as `check_nothing_lost` does."""
    if isinstance(read, dict):
        columns = {name: _column_of(given, name) for name in read}
        return {n: nothing_lost(columns[n], each, nullable=nullable) for n, each in read.items()}
    if isinstance(read, list) and isinstance(given, list):
        pairs = zip(given, read, strict=True)
        return [nothing_lost(*pair, nullable=nullable) for pair in pairs]
    if not isinstance(read, (np.ndarray, np.generic)) or read.dtype.kind not in (*KINDS, "U"):
        return read
    flat = _flat(given)
    if read.dtype.kind != "U":
        _check("a value", flat, read.ravel().tolist())
    elif None in flat and not nullable:
        raise InvalidInput("a value is text: it cannot be null")
    elif None in flat and not read.shape:
        return None
    elif None in flat and len(flat) == read.size:
        read = np.array([*flat], dtype=object).reshape(read.shape)
    return read


def _column_of(given: Any, name: str) -> Any:
    """What was given for a column: by its name, by each row, or because there is no other."""
    if isinstance(given, dict):
        return given[name]
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        return given
    return [row[name] for row in given if name in row]


def _check(what: str, given: Iterable[Any], cast: Iterable[Any]) -> None:
    for before, after in zip(given, cast, strict=False):
        is_bool = isinstance(after, (bool, np.bool_))
        if before is None or (is_bool and before != before):
            raise InvalidInput(f"{what} is {'boolean' if is_bool else 'whole'}: it cannot be null")
        if not is_bool and isinstance(before, (int, float)) and before != after:
            kind = f"{type(after).__name__}: {before!r} is not"
            raise InvalidInput(f"{what} is {kind}")


def _flat(given: Any) -> list[Any]:
    """The values of lists in lists."""
    if not isinstance(given, list):
        return [given]
    return [value for each in given for value in _flat(each)]


def _column(values: Any) -> Any:
    return values if values.ndim == 1 else [*values]
