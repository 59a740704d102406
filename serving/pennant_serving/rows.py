"""What a model is asked: rows, the one form that every protocol is decoded to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


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


class Table(dict[str, Any]):
    """A prediction that is a table: its columns by name, each with one entry for each row.

    What MLflow answers with a DataFrame, without pandas.
    """

    def records(self) -> list[dict[str, Any]]:
        """The rows, as MLflow writes them."""
        columns = (list(column) for column in self.values())
        return [dict(zip(self, row, strict=True)) for row in zip(*columns, strict=True)]
