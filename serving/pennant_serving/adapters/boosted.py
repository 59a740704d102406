"""What boosted trees have in common: columns as they were trained, and values that are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pennant_serving.adapters.tabular import TabularAdapter
from pennant_serving.errors import InvalidInput
from pennant_serving.mlmodel import MLmodel
from pennant_serving.rows import Rows

FLOATING = frozenset({"float", "double"})


class BoostedAdapter(TabularAdapter):
    """Takes NaN, or null in JSON, as a value that is missing."""

    dtype_of_unknown = "float64"

    def __init__(
        self,
        mlmodel: MLmodel,
        answer: Callable[[Any], Any],
        *,
        features: Sequence[str],
        width: int,
    ) -> None:
        """`features` are the names of the training; none when it had none."""
        signed = bool(mlmodel.columns or mlmodel.tensors)
        names = mlmodel.names if signed else tuple(features)
        super().__init__(mlmodel, _as_signed(answer, mlmodel), names=names, width=width)
        # MLflow knows nothing that is missing but a float.
        self._whole = [
            place
            for place, column in enumerate(mlmodel.columns)
            if column.type not in FLOATING and column.required
        ]

    def to_array(self, rows: Rows) -> Any:
        """Raises InvalidInput, also for a null where the signature has whole numbers."""
        array = super().to_array(rows)
        for place in self._whole:
            if np.isnan(array[:, place]).any():
                column = self._mlmodel.columns[place]
                raise InvalidInput(f"column {column.name!r} is {column.type}: it cannot be null")
        return array


def _as_signed(answer: Callable[[Any], Any], mlmodel: MLmodel) -> Callable[[Any], Any]:
    """The function of an array whose single columns are as exact as the signature says.

    A value may lie on the other side of a threshold when it is more exact.
    """
    single = [place for place, column in enumerate(mlmodel.columns) if column.type == "float"]
    if not single or len(single) == len(mlmodel.columns):
        return answer

    def answer_rounded(array: Any) -> Any:
        rounded = array.copy()
        rounded[:, single] = array[:, single].astype("float32")
        return answer(rounded)

    return answer_rounded
