"""What a model is asked: rows, the one form that every protocol is decoded to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pennant_serving.errors import InvalidInput


class Rows:
    """A batch of rows, named or positional.

    Iterating and indexing give each row as an adapter's `predict` wants to see it: a dict when the
    columns have names, otherwise the row's value (a list, a number, a string). An adapter that
    works on whole batches takes `columns` and `values` as they are; the values are a list, or the
    array that a binary protocol brought.
    """

    __slots__ = ("columns", "values")

    def __init__(self, values: Sequence[Any], columns: tuple[str, ...] | None = None) -> None:
        self.values = values
        self.columns = columns

    def __len__(self) -> int:
        return len(self.values)

    @property
    def raw(self) -> Any:
        """The values in the form that they came in."""
        return self.values

    def __getitem__(self, index: int) -> Any:
        row = self.values[index]
        if hasattr(row, "tolist"):
            row = row.tolist()
        return row if self.columns is None else dict(zip(self.columns, row, strict=True))

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    @classmethod
    def of(cls, example: Rows | Sequence[Any]) -> Rows:
        """Rows from what an adapter calls its input example: Rows, dicts, or values."""
        if isinstance(example, Rows):
            return example
        rows = list(example)
        if rows and all(isinstance(row, Mapping) for row in rows):
            columns = tuple(rows[0])
            return cls([[row[column] for column in columns] for row in rows], columns)
        return cls(rows)


class Columns(Rows):
    """Named rows whose columns have types of their own: arrays of one entry for each row."""

    __slots__ = ("_lists", "arrays")

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self.arrays = dict(arrays)
        self.columns = tuple(self.arrays)
        self._lists: list[Any] | None = None

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    @property
    def raw(self) -> Any:
        return self.arrays

    def check(self) -> None:
        """Raises InvalidInput when the columns differ in length, so that there are no rows."""
        if len({len(each) for each in self.arrays.values()}) > 1:
            sizes = ", ".join(f"{name}: {len(each)}" for name, each in self.arrays.items())
            raise InvalidInput(f"all tensors must have the same number of rows ({sizes})")

    @property
    def values(self) -> Sequence[Any]:  # type: ignore[override]
        """Lists, one for each row. Raises as `check` does."""
        if self._lists is None:
            self.check()
            lists = (each.tolist() for each in self.arrays.values())
            self._lists = [list(row) for row in zip(*lists, strict=True)]
        return self._lists


class Prepared:
    """What a model is asked in the form that its library takes: MLflow has read it already."""

    __slots__ = ("data",)

    def __init__(self, data: Any) -> None:
        """A DataFrame, an array, arrays by name, a list, or one value."""
        self.data = data

    def __len__(self) -> int:
        """The rows, as far as the data tells: what is no table counts as one."""
        data = self.data
        if isinstance(data, dict):
            data = next(iter(data.values()), ())
        return len(data) if _is_sequence(data) else 1

    @property
    def raw(self) -> Any:
        """The data."""
        return self.data

    def rows(self) -> Rows:
        """For those who look on: the same as rows, named where they have names."""
        data = self.data
        if hasattr(data, "columns"):
            return Rows(data.to_numpy(dtype=object), tuple(map(str, data.columns)))
        if isinstance(data, dict):
            return Rows([list(data.values())], tuple(map(str, data)))
        return Rows(data if _is_sequence(data) else [data])


def _is_sequence(data: Any) -> bool:
    has_length = hasattr(data, "__len__") and not isinstance(data, (str, bytes))
    return has_length and getattr(data, "ndim", None) != 0


class Table(dict[str, Any]):
    """A prediction that is a table: its columns by name, each with one entry for each row.

    What MLflow answers with a DataFrame, without pandas.
    """

    def records(self) -> list[dict[str, Any]]:
        """The rows, as MLflow writes them."""
        columns = (list(column) for column in self.values())
        return [dict(zip(self, row, strict=True)) for row in zip(*columns, strict=True)]
