"""What boosted trees have in common: columns as they were trained, and values that are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pennant_serving.adapters.tabular import TabularAdapter
from pennant_serving.errors import InvalidInput
from pennant_serving.mlmodel import MLmodel


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

    def _given(self, data: Any) -> Any:
        """Columns in the order of the training, as numbers. Raises InvalidInput."""
        if hasattr(data, "columns") and self._names and set(self._names) <= {*data.columns}:
            data = data[[*self._names]]
        try:
            return np.asarray(data, dtype=self._dtype)
        except (ValueError, TypeError) as error:
            raise InvalidInput(f"the rows are no table of numbers: {error}") from error


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
