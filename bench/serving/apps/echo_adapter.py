"""An adapter for ours that predicts nothing: what came in is the answer."""

from pathlib import Path
from typing import Any, Self

import numpy as np

from pennant_serving.adapters.base import ArraySpec

FEATURES = 20


class Echo:
    """Takes the fast lane, and the line of predictions, as any model of numbers does."""

    joins = True
    steady = True
    survives_fork = True
    array_spec = ArraySpec("float64", FEATURES)
    input_example = ([0.0] * FEATURES,)

    @classmethod
    def load(cls, _bundle: Path) -> Self:
        return cls()

    def to_array(self, rows: Any) -> Any:
        return np.asarray(rows.values, dtype="float64")

    def predict(self, rows: Any) -> Any:
        return self.predict_array(self.to_array(rows))

    def predict_array(self, array: Any) -> Any:
        return array
