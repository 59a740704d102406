"""scikit-learn's estimators behind our adapter, and one that counts what it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pennant_serving.adapters.native_sklearn import SklearnAdapter
from pennant_serving.bundle.mlmodel import MLmodel
from pennant_serving.rows import Rows
from pennant_testing.serving.app_builders import Echo

X = np.random.default_rng(1).normal(size=(30, 2))
Y = (X[:, 0] > 0).astype(int)


def native(estimator: Any, method: str = "predict") -> SklearnAdapter:
    """The adapter of an estimator without a signature."""
    flavors = {"sklearn": {}, "python_function": {"predict_fn": method}}
    mlmodel = MLmodel(Path(), flavors, (), (), (), (), None, from_type_hint=False)
    return SklearnAdapter(mlmodel, estimator.fit(X, Y))


class CountingAdapter(Echo):
    """Counts the rows of each call, and answers with one function of an array."""

    def __init__(self, answer: Any = None) -> None:
        self.sizes: list[int] = []
        self._answer = answer or (lambda x: x[:, 0])

    def predict(self, rows: Rows) -> Any:
        self.sizes.append(len(rows))
        return self._answer(np.asarray(rows.values, dtype="float64"))
