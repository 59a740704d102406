"""The registry library with the oldest of MLflow's clients that its extra takes.

The newest is the one of this process: all other tests here are with it.
"""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from pennant_dev.settings import REPOSITORY
from pennant_testing.mlflow.mlflow_server import mlflow2

pytestmark = pytest.mark.integration

ALL_OF_IT = """
import pathlib, pickle, sys, mlflow, pennant_registry
from pennant_registry import MetricMin, errors

name, client = sys.argv[1], mlflow.MlflowClient()

def version(content):
    run = client.create_run("0").info.run_id
    pathlib.Path("model.pkl").write_bytes(pickle.dumps(content))
    client.log_artifact(run, "model.pkl")
    client.log_metric(run, "auc", 0.9)
    return pennant_registry.register(run, "model.pkl", name)

def refused(error, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except error:
        return
    raise SystemExit(f"{function} raised no {error}")

for where in ({"alias": "production"}, {"stage": "Production"}):
    first, second = version("one"), version("two")
    for number in (first, second):
        pennant_registry.promote(number, name, gates=[MetricMin("auc", 0.5)], **where)
    assert pennant_registry.load_production(name, **where) == "two"
    assert pennant_registry.rollback(name, **where).version == first
    assert pennant_registry.load_production(name, **where) == "one"
    assert len(pennant_registry.history(name, **where)) == 3
    refused(errors.NothingToRollBackError, pennant_registry.rollback, name, **where)
    refused(errors.VersionMissingError, pennant_registry.promote, 99, name, **where)
run = client.create_run("0").info.run_id
refused(errors.ArtifactMissingError, pennant_registry.register, run, "model", name)
refused(errors.RunMissingError, pennant_registry.register, "0" * 32, "model", name)
client.copy_model_version(f"models:/{name}/2", f"{name}-prod")
pennant_registry.promote(1, f"{name}-prod", "production")
assert pennant_registry.load_production(f"{name}-prod", "production") == "two"
print(mlflow.__version__)
"""


def ends() -> tuple[str, str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extra, *_ = project["optional-dependencies"]["registry"]
    bounds = re.fullmatch(r"mlflow-skinny>=([\d.]+),<=([\d.]+)", extra)
    assert bounds is not None
    return bounds[1], bounds[2]


def test_this_process_has_the_newest_client_that_the_extra_takes():
    assert mlflow.__version__ == ends()[1]


def test_all_of_the_library_works_with_the_oldest_client_that_the_extra_takes(
    client: MlflowClient, name: str, tmp_path: Path
):
    done = subprocess.run(
        [mlflow2(), "-W", "ignore", "-c", ALL_OF_IT, name],
        env={
            "PYTHONPATH": str(REPOSITORY / "registry"),
            "MLFLOW_TRACKING_URI": client.tracking_uri,
            "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
            "HOME": str(tmp_path),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [ends()[0]]
