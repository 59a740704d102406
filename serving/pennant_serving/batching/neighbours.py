"""Rows unlike those of an example, of the same types: what may stand beside them. Pure.

An answer that depends on its neighbours shows it only beside different ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pennant_serving.batching import joining
from pennant_serving.rows import Prepared, Rows

SCALES = (0.5, 3.0, -2.0, 30.0)
"""What numbers are multiplied by, after ADDED was added."""
ADDED = 7
SEED = 1
"""The same in every start."""


def order(value: Any, places: list[int]) -> Any:
    """The rows in another order."""
    parts = [joining.part(value, place, place + 1) for place in places]
    return joining.join(parts)


def tiled(value: Any, rows: int, size: int) -> Any:
    """So many rows, the same again and again."""
    return joining.part(joining.join([value] * -(-size // rows)), 0, size)


def different(value: Any) -> Iterator[Any]:
    """Batches of rows to stand beside those of an example, of several sizes: the same rows, and
    others with values exchanged between these and with other numbers."""
    yield value
    for place, scale in enumerate(SCALES):
        rows = tiled(value, len(value), (1, 3, 4, 7)[place])
        yield _changed(rows, scale)


def _changed(value: Any, scale: float) -> Any:
    random = np.random.default_rng(SEED)
    if isinstance(value, np.ndarray):
        return _array(value, scale, random)
    if isinstance(value, Prepared):
        return Prepared(_data(value.data, scale, random))
    if isinstance(value.values, np.ndarray):
        return Rows(_array(value.values, scale, random), value.columns)
    return Rows(_rows(list(value.values), scale, random), value.columns)


def _array(array: np.ndarray[Any, Any], scale: float, random: np.random.Generator) -> Any:
    mixed = array.copy()
    for column in range(array.shape[1] if array.ndim > 1 else 0):
        mixed[:, column] = array[random.permutation(len(array)), column]
    if array.dtype.kind not in "iuf":
        return mixed
    with np.errstate(all="ignore"):
        changed = (mixed.astype("float64") + ADDED) * scale
        if array.dtype.kind in "iu":
            limits = np.iinfo(array.dtype)
            changed = np.clip(changed, max(limits.min, -(2**53)), min(limits.max, 2**53))
        return changed.astype(array.dtype)


def _data(data: Any, scale: float, random: np.random.Generator) -> Any:
    """An array, or a frame whose columns are mixed each for itself."""
    if not hasattr(data, "iloc"):
        return _array(data, scale, random)
    mixed = data.copy()
    for name in mixed.columns:
        values = mixed[name].to_numpy()
        mixed[name] = _array(values[random.permutation(len(values))], scale, random)
    return mixed


def _rows(rows: list[Any], scale: float, random: np.random.Generator) -> list[Any]:
    if all(isinstance(row, list) and len(row) == len(rows[0]) for row in rows):
        columns = [[row[place] for row in rows] for place in range(len(rows[0]))]
        mixed = [[column[each] for each in random.permutation(len(rows))] for column in columns]
        rows = [list(row) for row in zip(*mixed, strict=True)] if columns else rows
    return [_other(row, scale) for row in rows]


def _other(value: Any, scale: float) -> Any:
    """Another value of the same type, where there is one."""
    if isinstance(value, list):
        return [_other(each, scale) for each in value]
    if isinstance(value, dict):
        return {name: _other(each, scale) for name, each in value.items()}
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return type(value)((value + ADDED) * scale) if abs(value) < 2**53 else value
