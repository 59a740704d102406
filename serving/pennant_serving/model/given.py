"""What a request gives, whatever form its rows have. Asked after an error only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pennant_serving.bundle.takes import Takes, listed
from pennant_serving.rows import Columns, Prepared, Rows

SEARCHED_ROWS = 1000
"""Rows that are searched for a text."""


@dataclass(frozen=True)
class Given:
    """What a request gives, as far as it can be seen."""

    names: tuple[str, ...] | None
    shape: tuple[int, ...]
    """Of one row, or of everything where the names have no rows in common."""
    text: tuple[str, str] | None = None
    """The first value that is a text: of which column, and what it is."""
    tensor: str | None = None
    """The name of a lone tensor, which is none of a column."""
    is_object: bool = False
    """Names that came otherwise than in a frame."""

    def __str__(self) -> str:
        if self.names is not None:
            return f"the request has {listed(self.names) or 'no columns'}"
        lone = f"the tensor {self.tensor!r}, " if self.tensor is not None else ""
        if not self.shape:
            return f"the request has {lone}one value for each row, without names"
        shape = f"{self.shape[0]}" if len(self.shape) == 1 else f"shape {list(self.shape)}"
        values = " value" if self.shape == (1,) else " values" if len(self.shape) == 1 else ""
        return f"the request has {lone}rows of {shape}{values}, without names"


def given_of(asked: Any, takes: Takes, tensors: Sequence[str] = ()) -> Given:
    """What rows of any form give."""
    lone = tensors[0] if len(tensors) == 1 else None
    data = asked.data if isinstance(asked, Prepared) else asked
    if isinstance(data, Columns):
        return Given(tuple(data.arrays), (), _text(data.arrays.items()))
    if isinstance(data, Rows):
        given = _of_values(data.values, data.columns)
    elif hasattr(data, "columns") and hasattr(data, "iloc"):  # a DataFrame
        text = _text((name, data.iloc[:, n]) for n, name in enumerate(data.columns))
        numbered = all(isinstance(name, int) for name in data.columns)  # it came without names
        names = None if numbered else tuple(map(str, data.columns))
        given = Given(names, (data.shape[1],), text)
    elif isinstance(data, Mapping):
        given = Given(tuple(map(str, data)), (), _text(data.items()), is_object=True)
    else:
        given = _of_values(data, None)
    if given.names is None and lone is not None:
        # A tensor of one of the columns, where all of them were wanted.
        if lone in takes.names and given.shape != (takes.width,):
            return Given((lone,), given.shape, given.text)
        return Given(None, given.shape, given.text, lone)
    return given


def _of_values(values: Any, columns: tuple[str, ...] | None) -> Given:
    shape = getattr(values, "shape", None)
    is_list, is_one = shape is None, shape == () or not hasattr(values, "__len__")
    rows = [*islice([values] if is_one or isinstance(values, str) else values, SEARCHED_ROWS)]
    first = rows[0] if rows else None
    if isinstance(first, Mapping):
        named = (item for row in rows if isinstance(row, Mapping) for item in row.items())
        return Given(tuple(map(str, first)), (), _text((n, [v]) for n, v in named), is_object=True)
    cells = [row.tolist() if hasattr(row, "tolist") else row for row in rows]
    pairs = (
        (columns[place] if columns and place < len(columns) else place, [value])
        for row in cells
        for place, value in enumerate(row if isinstance(row, list) else [row])
    )
    text = _text(pairs)
    if columns is not None:
        return Given(columns, (len(columns),), text)
    return Given(None, _shape(first) if is_list else tuple(shape or ())[1:], text)


def _shape(row: Any) -> tuple[int, ...]:
    shape: list[int] = []
    while isinstance(row, list):
        shape.append(len(row))
        row = row[0] if row else None
    return tuple(shape)


def _text(columns: Iterable[tuple[Any, Any]]) -> tuple[str, str] | None:
    for name, values in columns:
        kind = getattr(getattr(values, "dtype", None), "kind", "O")
        if kind in "biufc":
            continue
        flat = values.ravel() if hasattr(values, "ravel") else values
        is_one = isinstance(flat, str) or not hasattr(flat, "__len__")
        for value in islice([flat] if is_one else flat, SEARCHED_ROWS):
            if isinstance(value, str):
                return str(name), value
    return None
