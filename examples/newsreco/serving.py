"""The adapter for Pennant's serving runtime (`serving.adapter: newsreco.serving:NewsrecoAdapter`).

It is found by its methods, so this module imports nothing of the runtime.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from starlette.routing import Route

from newsreco import bundle as bundles
from newsreco.bundle import Bundle
from newsreco.routes import recommend_route, wanted

Row = Mapping[str, Any]


class NewsrecoAdapter:
    """A row is {"user": "U106", "k": 10}, k being optional; its answer has items and marker."""

    joins = True  # the ranker is asked for the candidates of all readers, and scores each by itself
    survives_fork = True  # arrays and an estimator

    def __init__(self, model: Bundle) -> None:
        self._model = model

    @classmethod
    def load(cls, bundle: Path) -> Self:
        """Unpickles newsreco.pkl of a bundle folder, whose digest `fetch` has verified."""
        return cls(bundles.load(bundle / bundles.FILE))

    @property
    def input_example(self) -> list[dict[str, Any]]:
        """Rows for the self-test: a reader that training knows, and a new one."""
        known = next(iter(self._model["recommender"].histories), "U106")
        return [{"user": known, "k": 10}, {"user": "a new reader", "k": 3}]

    def predict(self, rows: Any) -> list[dict[str, Any]]:
        """One answer per row, in order; rows as a list, a dict of columns or a pandas DataFrame.

        Raises ValueError that names the row and the field.
        """
        asked = [_asked(number, row) for number, row in enumerate(_rows(rows))]
        marker = self._model["recommender"].marker
        recommended = bundles.recommend_all(self._model, asked)
        return [
            {"user": user, "items": items, "marker": marker}
            for (user, _), items in zip(asked, recommended, strict=True)
        ]

    def routes(self) -> list[Route]:
        """GET /recommend/{user}?k=10"""
        return [recommend_route(lambda: self._model)]


def _rows(rows: Any) -> Sequence[Row]:
    if hasattr(rows, "to_dict"):  # a DataFrame, without importing pandas
        records: list[Row] = rows.to_dict(orient="records")
        return records
    if isinstance(rows, Mapping):
        names, columns = list(rows), [list(column) for column in rows.values()]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return list(rows)


def _asked(number: int, row: Row) -> tuple[str, int]:
    if not isinstance(row, Mapping) or "user" not in row:
        raise ValueError(f'row {number} has no field user: give {{"user": "U106", "k": 10}}')
    try:
        return str(row["user"]), wanted(row)
    except ValueError as error:
        raise ValueError(f"row {number}: {error}") from None
