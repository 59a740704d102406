"""Runs in the toolbox pod: models of other libraries than its own, and bundles that ask for what
cannot be had; prints name -> version.

Who trains installs the libraries from the package index, as anybody would; whoever registers has
those of the image. Arguments: the registered model, and the index.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from mlflow import MlflowClient

import pennant_registry

LIBRARIES = ("scikit-learn==1.5.2", "numpy==1.26.4", "pandas==2.2.3", "scipy==1.14.1",
             "lightgbm==4.6.0", "mlflow-skinny==2.19.0", "cloudpickle==3.1.0")  # fmt: skip
TRAIN = """
import sys, zipfile
from pathlib import Path
import mlflow, numpy as np, sklearn
from lightgbm import LGBMClassifier
from mlflow.pyfunc import PythonModel
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

folder = Path(sys.argv[1])
rows, kinds = load_iris(return_X_y=True, as_frame=True)
some, asked = rows.head(3), ["scikit-learn==1.5.2", "numpy==1.26.4", "pandas==2.2.3"]
forest = RandomForestClassifier(n_estimators=5, random_state=1).fit(rows, kinds)
mlflow.sklearn.save_model(
    forest, folder / "forest", pip_requirements=asked, input_example=some)
boosted = LGBMClassifier(n_estimators=5, verbose=-1).fit(rows, kinds)
mlflow.lightgbm.save_model(
    boosted, folder / "boosted", pip_requirements=[*asked, "lightgbm==4.6.0"], input_example=some)

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
    folder / "priced", python_model=Priced(), code_paths=[str(wheel)], pip_requirements=asked[1:])
wheel.unlink()
"""
ASKED = {
    "missing": "numpy==1.26.4\nnobody-has-this==1.0\n",
    "torn": "numpy==1.26.4\nnumpy<1.26\n",
    "ancient": "numpy==1.26.4\n",
}


def train(folder: Path, index: str) -> None:
    """The good ones, in a process that has the libraries."""
    libraries = str(folder.parent / "libraries")
    install = ("uv", "pip", "install", "--quiet", "--target", libraries, "--default-index", index)
    cache = {"UV_CACHE_DIR": str(folder.parent / "cache")}
    subprocess.run([*install, *LIBRARIES], check=True, env=os.environ | cache)
    command = [sys.executable, "-c", TRAIN, str(folder)]
    own = {"PYTHONPATH": libraries, "MLFLOW_TRACKING_URI": str(folder.parent / "runs")}
    subprocess.run(command, check=True, env=os.environ | own, stdout=sys.stderr)


def spoil(folder: Path) -> None:
    """The forest once more, with requirements that nobody can meet."""
    for name, asked in ASKED.items():
        shutil.copytree(folder / "forest", folder / name)
        (folder / name / "requirements.txt").write_text(asked)
    (folder / "ancient" / "python_env.yaml").write_text("python: 3.8.20\n")


def main(model: str, index: str) -> None:
    folder = Path("/tmp/environments/bundles")
    shutil.rmtree(folder.parent, ignore_errors=True)
    folder.mkdir(parents=True)
    train(folder, index)
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
