"""One input of many, and many results of one. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from pennant_serving.rows import Columns, Prepared, Rows

EXACT_INTEGER_LIMIT = 2**63
"""Whole numbers beyond this change the type of the whole array that they are put in."""
COMPARED_ROWS = 128
"""Rows. Larger lists are predicted alone: looking at every value would take longer than that."""

NESTING_LIMIT = 32
"""Lists in lists; no array goes deeper."""


class NotOneEach(Exception):  # noqa: N818
    """A result that cannot be told apart by rows."""


class Ambiguous(NotOneEach):
    """A result that happens to be as long as there are rows, and may be something else."""


def kind(rows: Rows | Prepared) -> Hashable:
    """Rows of the same kind become the same types, together or alone. None: like no others."""
    if isinstance(rows, Prepared):
        return _kind_of_data(rows.data)
    if isinstance(rows, Columns):
        kinds = [_kind_of_column(each) for each in rows.arrays.values()]
        return None if None in kinds else (rows.columns, *kinds)
    if isinstance(rows.values, np.ndarray):
        array = rows.values
        return None if array.dtype == object else (rows.columns, array.dtype, array.shape[1:])
    if not 0 < len(rows) <= COMPARED_ROWS:
        return None
    first = _types(rows.values[0])
    if first is None or any(_types(row) != first for row in rows.values[1:]):
        return None
    return (rows.columns, first)


def join(values: Sequence[Any]) -> Any:
    """One input of several of the same kind."""
    if len(values) == 1:
        return values[0]
    if isinstance(values[0], Prepared):
        return Prepared(merge([each.data for each in values]))
    if isinstance(values[0], Columns):
        return Columns(
            {
                name: np.concatenate([each.arrays[name] for each in values])
                for name in values[0].arrays
            }
        )
    if isinstance(values[0], Rows):
        return Rows(_joined([each.values for each in values]), values[0].columns)
    return np.concatenate(values)


def part(value: Any, start: int, end: int) -> Any:
    """Some rows of an input or a result."""
    if isinstance(value, Prepared):
        return Prepared(_numbered(part(value.data, start, end)))
    if isinstance(value, Columns):
        return Columns({name: each[start:end] for name, each in value.arrays.items()})
    if isinstance(value, Rows):
        return Rows(value.values[start:end], value.columns)
    if isinstance(value, dict):
        return type(value)((name, part(each, start, end)) for name, each in value.items())
    return value.iloc[start:end] if hasattr(value, "iloc") else value[start:end]


def split(result: Any, sizes: Sequence[int], *, lists: bool = True) -> list[Any]:
    """The results of requests that had so many rows each. Raises NotOneEach."""
    if len(sizes) == 1:
        return [result]
    check(result, sum(sizes), lists=lists)
    parts, start = [], 0
    for size in sizes:
        parts.append(part(result, start, start + size))
        start += size
    return parts


def check(result: Any, rows: int, *, lists: bool = True) -> None:
    """Raises NotOneEach unless there is one entry for each row; a list that may have it only with
    `lists`, because many a library answers with one array for each of its outputs."""
    for each in result.values() if isinstance(result, dict) else (result,):
        _check_entries(each, rows, lists=lists)


def _check_entries(entries: Any, rows: int, *, lists: bool) -> None:
    is_list = isinstance(entries, (list, tuple))
    is_array = isinstance(entries, np.ndarray) and entries.ndim > 0
    if not (is_array or hasattr(entries, "iloc") or (is_list and lists)):
        raise NotOneEach(f"the prediction is a {type(entries).__name__}")
    if len(entries) != rows:
        raise NotOneEach(f"{len(entries)} predictions for {rows} rows")
    if is_list and all(_length(each) == rows for each in entries):
        raise Ambiguous(f"{rows} lists of {rows} for {rows} rows")


def _length(entry: Any) -> int:
    """Of a list or an array; -1 for all else."""
    is_many = isinstance(entry, (list, tuple)) or (isinstance(entry, np.ndarray) and entry.ndim)
    return len(entry) if is_many else -1


def merge(results: Sequence[Any]) -> Any:
    """One result of the parts of a request that was cut."""
    first = results[0]
    if isinstance(first, dict):
        return type(first)((name, merge([each[name] for each in results])) for name in first)
    if hasattr(first, "iloc"):
        import pandas as pd

        return pd.concat(results, ignore_index=_is_numbered(first))
    return _joined(results)


def _kind_of_column(array: Any) -> Hashable:
    """Numbers go by their type, of objects only texts with each other."""
    if array.dtype == object and not all(isinstance(each, str) for each in array):
        return None
    return (array.dtype, array.shape[1:])


def _kind_of_data(data: Any) -> Hashable:
    """Of what a library takes: an array of numbers, or a frame whose rows have no names."""
    if isinstance(data, np.ndarray):
        return (data.dtype, data.shape[1:]) if data.ndim and data.dtype != object else None
    if hasattr(data, "iloc") and _is_numbered(data) and data.columns.is_unique:
        return (tuple(data.columns), tuple(data.dtypes))
    return None


def _is_numbered(data: Any) -> bool:
    index = data.index
    return type(index).__name__ == "RangeIndex" and (index.start, index.step) == (0, 1)


def _numbered(data: Any) -> Any:
    """Rows that were cut out of a frame begin at 0, as they would alone."""
    return data.reset_index(drop=True) if hasattr(data, "iloc") else data


def _joined(parts: Sequence[Sequence[Any]]) -> Any:
    arrays = isinstance(parts[0], np.ndarray)
    return np.concatenate(parts) if arrays else list(chain.from_iterable(parts))


def _types(value: Any, depth: int = 0) -> Hashable:
    """What arrays and frames of this value would be made of; None when only all of it can tell."""
    if isinstance(value, list):
        if depth == NESTING_LIMIT:
            return None
        types = tuple(_types(each, depth + 1) for each in value)
        return None if None in types else types
    if isinstance(value, int) and not isinstance(value, bool):
        return "int" if -EXACT_INTEGER_LIMIT <= value < EXACT_INTEGER_LIMIT else None
    return type(value).__name__ if isinstance(value, (bool, float, str)) else None
