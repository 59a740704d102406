"""What boosted trees have in common: columns as they were trained, and values that are missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pennant_serving.adapters import tables
from pennant_serving.adapters.tabular import TabularAdapter
from pennant_serving.bundle.mlmodel import MLmodel

_SPACE = re.compile(r"\s")


class BoostedAdapter(TabularAdapter):
    """Takes NaN, or null in JSON, as a value that is missing."""

    def __init__(
        self,
        mlmodel: MLmodel,
        answer: Callable[[Any], Any],
        *,
        features: Sequence[str],
        width: int,
    ) -> None:
        """`features` are the names of the training; none when it had none.

        Raises ValueError when the signature has the same columns in another order: these libraries
        take them by their place.
        """
        signed = bool(mlmodel.columns or mlmodel.tensors)
        names = mlmodel.names if signed else tuple(features)
        check_order(names, features)
        super().__init__(mlmodel, answer, names=names, width=width, dtype=_dtype(mlmodel))

    def _given(self, data: Any) -> Any:
        """Columns in the order of the training, as numbers. Raises InvalidInput."""
        return super()._given(tables.numbers(data, self._names, self._dtype))


def check_order(names: Sequence[str], features: Sequence[str]) -> None:
    """Raises ValueError when these are the same columns in another order."""
    given = [_SPACE.sub("_", name) for name in names]  # as LightGBM writes them
    if given != list(features) and sorted(given) == sorted(features):
        raise ValueError(
            f"the signature's columns are {', '.join(names)}, but the model was trained with"
            f" {', '.join(features)}: it takes them in that order only"
        )


def _dtype(mlmodel: MLmodel) -> str:
    """Always of floats, which alone can be missing; what libraries make of whole numbers, too."""
    dtype = tables.dtype_of(mlmodel) or "float64"
    return dtype if np.dtype(dtype).kind == "f" or mlmodel.tensors else "float64"
