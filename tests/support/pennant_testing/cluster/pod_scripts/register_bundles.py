"""Runs in the toolbox pod: registers the bundles of a zip archive, each as a version that an alias
of the same name points at. Standard input: the archive in base64; a folder of it is a bundle.
"""

import base64
import io
import sys
import tempfile
import zipfile
from pathlib import Path

from mlflow import MlflowClient

import pennant_registry


def main(model: str) -> None:
    client = MlflowClient()
    experiment = client.create_experiment(model)
    with tempfile.TemporaryDirectory() as folder:
        archive = io.BytesIO(base64.b64decode(sys.stdin.read()))
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
        for bundle in sorted(Path(folder).iterdir()):
            run = client.create_run(experiment)
            client.log_artifacts(run.info.run_id, str(bundle), "model")
            version = pennant_registry.register(run.info.run_id, "model", model)
            client.set_registered_model_alias(model, bundle.name, str(version))


if __name__ == "__main__":
    main(sys.argv[1])
