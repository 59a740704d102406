"""The model that everybody serves, and the rows that everybody is asked about."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pennant_dev.environments import THIS
from pennant_dev.settings import REPOSITORY
from pennant_dev.shell import run

FEATURES = 20
MODEL = "bench"
VARIANTS = 16
"""Different requests, sent in turn: an answer that belongs to another request is seen."""


@dataclass(frozen=True)
class Workload:
    """One model in the forms that the servers load, and the model itself to check them with."""

    bundle: Path
    """The MLflow model folder."""
    joblib: Path
    """The bare pipeline, for servers that know nothing of MLflow."""
    pipeline: Any
    code: Path
    """Our own, installed as in the images: a folder for PYTHONPATH."""

    def rows(self, count: int) -> list[list[list[float]]]:
        """VARIANTS requests of `count` rows."""
        numbers = np.random.default_rng(7).normal(size=(VARIANTS, count, FEATURES))
        return numbers.round(4).tolist()  # type: ignore[no-any-return]

    def answers(self, rows: list[list[float]]) -> list[int]:
        """What the model says about the rows."""
        return [int(label) for label in self.pipeline.predict(np.array(rows))]


def make(folder: Path) -> Workload:
    """Train the model and write it into `folder`, as a training job would."""
    import mlflow
    import pandas as pd
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(0)
    inputs = random.normal(size=(2000, FEATURES))
    labels = (inputs @ random.normal(size=FEATURES) > 0).astype(int)
    bare = make_pipeline(StandardScaler(), LogisticRegression()).fit(inputs, labels)
    # The same fitted on named columns, as MLflow hands them over: scikit-learn warns of a mixture.
    table = pd.DataFrame(inputs, columns=columns())
    named = make_pipeline(StandardScaler(), LogisticRegression()).fit(table, labels)

    example = table.head(2)
    signature = mlflow.models.infer_signature(example, named.predict(example))
    bundle, joblib = folder / "models" / "bundle", folder / "model.joblib"
    mlflow.sklearn.save_model(named, bundle, signature=signature, input_example=example)
    joblib.write_bytes(pickle.dumps(bare))  # joblib reads any pickle
    return Workload(bundle, joblib, bare, _installed(folder / "app"))


def _installed(target: Path) -> Path:
    uv, options = THIS.with_name("uv"), ("--quiet", "--no-deps", "--compile-bytecode")
    run([uv, "pip", "install", "--python", THIS, *options, "--target", target, REPOSITORY])
    return target


def columns() -> list[str]:
    """Names of the inputs."""
    return [f"f{number}" for number in range(FEATURES)]
