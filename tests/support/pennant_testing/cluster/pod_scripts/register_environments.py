"""Runs in the toolbox pod: a model that comes with a wheel of its own, and bundles that ask for
what cannot be had; prints name -> version.

Who trains has the libraries of an example; whoever registers has those of the image. Arguments: the
registered model, and the Python of the example's environment.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from mlflow import MlflowClient

import pennant_registry

TRAIN = """
import sys, zipfile
from pathlib import Path
import mlflow, numpy as np
from mlflow.pyfunc import PythonModel

folder = Path(sys.argv[1])
wheel = folder / "pricing-1.0-py3-none-any.whl"
info = "pricing-1.0.dist-info"
with zipfile.ZipFile(wheel, "w") as archive:
    archive.writestr("pricing/__init__.py", "def price(row):\\n    return 2 * row[0]\\n")
    archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: pricing\\nVersion: 1.0\\n")
    archive.writestr(f"{info}/WHEEL",
                     "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    archive.writestr(f"{info}/RECORD", "")

class Priced(PythonModel):
    def predict(self, context, model_input, params=None):
        from pricing import price
        return [price(row) for row in np.asarray(model_input).tolist()]

mlflow.pyfunc.save_model(
    folder / "priced", python_model=Priced(), code_paths=[str(wheel)],
    pip_requirements=["numpy==1.26.4", "pandas==2.2.3"])
wheel.unlink()
"""
ASKED = {
    "missing": "numpy==1.26.4\nnobody-has-this==1.0\n",
    "torn": "numpy==1.26.4\nnumpy<1.26\n",
    "ancient": "numpy==1.26.4\n",
}


def train(folder: Path, python: str) -> None:
    """The good one, in a process that has the libraries."""
    own = {"MLFLOW_TRACKING_URI": str(folder.parent / "runs")}
    command = [python, "-c", TRAIN, str(folder)]
    subprocess.run(command, check=True, env=os.environ | own, stdout=sys.stderr)


def spoil(folder: Path) -> None:
    """The same once more, with requirements that nobody can meet."""
    for name, asked in ASKED.items():
        shutil.copytree(folder / "priced", folder / name)
        (folder / name / "requirements.txt").write_text(asked)
    (folder / "ancient" / "python_env.yaml").write_text("python: 3.8.20\n")


def main(model: str, python: str) -> None:
    folder = Path("/tmp/environments/bundles")
    shutil.rmtree(folder.parent, ignore_errors=True)
    folder.mkdir(parents=True)
    train(folder, python)
    spoil(folder)
    client, made = MlflowClient(), {}
    experiment = client.create_experiment(model)
    for bundle in sorted(folder.iterdir()):
        run = client.create_run(experiment)
        client.log_artifacts(run.info.run_id, str(bundle), "model")
        made[bundle.name] = str(pennant_registry.register(run.info.run_id, "model", model))
    shutil.rmtree(folder.parent)
    print(json.dumps(made))


if __name__ == "__main__":
    main(*sys.argv[1:])
