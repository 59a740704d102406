"""Runs in a pod: registers scikit-learn models whose answers tell their version; prints the last.

    python - MODEL COUNT

Version n answers 10n or 10n + 1. All are the same pipeline as bench/serving's.
"""

import sys
import tempfile
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import pennant_registry

FEATURES = 20


def train(number: int, folder: Path) -> None:
    """Write the bundle of a version."""
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        random.normal(size=(500, FEATURES)), columns=[f"f{n}" for n in range(FEATURES)]
    )
    labels = (table.to_numpy() @ random.normal(size=FEATURES) > 0).astype(int) + 10 * number
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(table, labels)
    example = table.head(2)
    signature = mlflow.models.infer_signature(example, model.predict(example))
    requirements = [f"scikit-learn=={__import__('sklearn').__version__}"]
    mlflow.sklearn.save_model(
        model, folder, signature=signature, input_example=example, pip_requirements=requirements
    )


def register(client: MlflowClient, experiment: str, name: str, number: int) -> str:
    """Log and register a version; its number in the registry."""
    run = client.create_run(experiment)
    with tempfile.TemporaryDirectory() as folder:
        train(number, Path(folder) / "model")
        client.log_artifacts(run.info.run_id, folder)
    return str(pennant_registry.register(run.info.run_id, "model", name))


def main(name: str, count: int) -> None:
    """`count` versions of a new model."""
    client = MlflowClient()
    experiment = client.create_experiment(name)
    for number in range(1, count + 1):
        version = register(client, experiment, name, number)
    print(version)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
