"""Whole numbers stay whole, and the columns of an array are what the signature says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pennant_serving.adapters import tables
from pennant_serving.bundle.mlmodel import Column
from pennant_serving.errors import InvalidInput

RANGES = {
    "boolean": (0, 1),
    "integer": (-(2**31), 2**31 - 1),
    "long": (-(2**63), 2**63 - 1),
}
"""The types of columns that hold whole numbers."""
Array = np.ndarray[Any, Any]


def array(values: Sequence[Any], dtype: str | None) -> Array:
    """The values as this type, none of them changed but for a float's last digits; None is whatever
    they are. Raises InvalidInput."""
    if dtype is None or np.dtype(dtype).kind not in "biu":
        return tables.array(values, dtype)
    is_list = not isinstance(values, np.ndarray)
    given = tables.array(values, None) if is_list else np.asarray(values)
    if given.dtype == np.dtype(dtype):
        return given
    if given.dtype == object:  # what NumPy has no one type for: texts, nulls, very large numbers
        if dtype == "bool":  # which everything has a truth for
            raise InvalidInput("the rows are not a table of bool: not all values are")
        return tables.array(values, dtype)
    if given.size and not _fits(given, dtype, is_list=is_list):
        raise InvalidInput(f"the rows are not a table of {dtype}: not all values are")
    # From the values themselves: beside a 1.0, NumPy has made a float of 2**53 + 1.
    return given.astype(dtype) if dtype == "bool" else tables.array(values, dtype)


def _fits(given: Array, dtype: str, *, is_list: bool) -> bool:
    """Whether an array of numbers holds whole ones in the type's range only; of a list, which NumPy
    reads one by one, up to what floats can tell of the range."""
    limits = np.iinfo(dtype) if dtype != "bool" else None
    low, high = (limits.min, limits.max) if limits else (0, 1)
    least, most = given.min(), given.max()  # NaN when there is one
    if given.dtype.kind == "f":
        # The number behind the range is a power of two, which floats have exactly.
        fits = low <= least and (most <= float(high) if is_list else most < high + 1)
        return bool(fits and (given == np.floor(given)).all())
    return bool(low <= int(least) and int(most) <= high)


class SignatureColumns:
    """What the signature says of the columns of an array of floats."""

    def __init__(self, columns: Sequence[Column], dtype: str | None) -> None:
        is_float = dtype is not None and np.dtype(dtype).kind == "f"
        self._columns = columns if is_float else ()
        self._whole = [place for place, each in enumerate(self._columns) if each.type in RANGES]
        self._single = [
            place
            for place, each in enumerate(self._columns)
            if each.type == "float" and dtype == "float64"
        ]
        ranges = [RANGES[self._columns[place].type] for place in self._whole]
        self._low = np.array([low for low, _ in ranges], dtype or "float64") if ranges else None
        self._high = np.array([high for _, high in ranges], dtype or "float64") if ranges else None

    @property
    def fits(self) -> Callable[[Array], bool] | None:
        """Whether the columns of whole numbers hold such; None when there is none of them."""
        return self._are_whole if self._whole else None

    def checked(self, rows: Array) -> Array:
        """The rows, single floats as exact as they are. Raises InvalidInput for a column of whole
        numbers that holds others."""
        if rows.ndim != 2 or rows.shape[1] != len(self._columns):
            return rows
        if self._whole:
            self._check(rows)
        if self._single:
            rows = rows.copy()
            rows[:, self._single] = rows[:, self._single].astype("float32")
        return rows

    def _are_whole(self, rows: Array) -> bool:
        part = rows[:, self._whole]
        good = (part == np.floor(part)) & (part >= self._low) & (part <= self._high)
        return bool(good.all())

    def _check(self, rows: Array) -> None:
        if self._are_whole(rows):
            return
        part = rows[:, self._whole]
        for place, column in zip(self._whole, part.T, strict=True):
            self._check_column(self._columns[place], column)

    def _check_column(self, column: Column, values: Array) -> None:
        missing = np.isnan(values)
        if column.required and missing.any():
            raise InvalidInput(f"column {column.name!r} is {column.type}: it cannot be null")
        low, high = RANGES[column.type]
        there = values[~missing]
        bad = (there != np.floor(there)) | (there < float(low)) | (there > float(high))
        if bad.any():
            wrong = there[bad][0]
            raise InvalidInput(f"column {column.name!r} is {column.type}: {wrong} is none")
