"""A BentoML service with the model, as in BentoML's own scikit-learn example."""

import os

import bentoml
import joblib
import numpy as np


@bentoml.service(logging={"access": {"enabled": False}})
class BentoClassifier:
    """Predicts with a pipeline."""

    def __init__(self) -> None:
        self.pipeline = joblib.load(os.environ["BENCH_MODEL"])  # noqa: TID251 - a script of its own

    @bentoml.api  # type: ignore[untyped-decorator]
    def predict(self, rows: np.ndarray) -> np.ndarray:  # BentoML knows no other spelling
        """The labels."""
        return np.asarray(self.pipeline.predict(rows))
