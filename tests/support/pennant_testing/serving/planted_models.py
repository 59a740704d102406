"""Models of two columns, a and b, that stand for versions: one that serves, retrained ones, and
some with a fault that neither their digest nor their self-test shows."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Self

import numpy as np

from pennant_testing.serving.app_builders import SIGNATURE, on_volume, sklearn_bundle

SECONDS = 0.006
"""That the one that serves takes for a prediction."""


class Weighted:
    """Answers the weighted sum of a row; a null counts as 0."""

    def __init__(self, a: float = 1.0, b: float = 10.0, seconds: float = SECONDS) -> None:
        self.weights = np.array([a, b])
        self.seconds = seconds

    def fit(self, *_: Any) -> Self:
        return self

    def predict(self, rows: Any) -> Any:
        time.sleep(self.seconds)
        return np.nan_to_num(np.asarray(rows, dtype="float64")) @ self.weights


class RaisingOnNull(Weighted):
    """A null is nothing that it was trained with."""

    def predict(self, rows: Any) -> Any:
        if np.isnan(np.asarray(rows, dtype="float64")).any():
            raise ValueError(f"there is a null in {rows!r}")
        return super().predict(rows)


class OfAnotherShape(Weighted):
    """Answers two numbers for each row."""

    def predict(self, rows: Any) -> Any:
        answers = super().predict(rows)
        return np.column_stack([answers, answers])


class Hanging(Weighted):
    """Writes down that it was asked, and does not answer."""

    def __init__(self, begun: Path) -> None:
        super().__init__()
        self.begun = begun

    def predict(self, rows: Any) -> Any:
        self.begun.write_text("")
        time.sleep(60)
        return super().predict(rows)


SERVES = Weighted()
HEALTHY = {"retrained": Weighted(1.1, 9.7), "the same": Weighted()}
PLANTED = {
    "raises on null": (RaisingOnNull(seconds=0), {}),
    # By more, where nothing else goes on: a busy machine adds its own to what both take.
    "three times slower": (Weighted(seconds=6 * SECONDS), {}),
    "another shape": (OfAnotherShape(seconds=0), {}),
    "swapped columns": (Weighted(10.0, 1.0, seconds=0), {"PENNANT_REHEARSAL_AGREEMENT": "0.5"}),
}
"""With the settings by which they are rejected, where the usual ones do not."""


def planted_bundle(folder: Path, estimator: Any, version: str) -> Path:
    """A bundle of one of them on a volume; where it lies."""
    path = sklearn_bundle(folder / "bundle", estimator, inputs=SIGNATURE)
    on_volume(path, version=version)
    return path
