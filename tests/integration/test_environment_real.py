"""Models of other releases than the image's, served with what they were saved with."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pennant_dev.environments import wheels
from pennant_dev.settings import REPOSITORY
from pennant_serving.environment.record import PYTHON, environment_path
from pennant_testing.packages.bundles import bundle_asking, provided
from pennant_testing.packages.simple_index import package_index
from pennant_testing.serving.app_builders import on_volume
from pennant_testing.serving.otlp_collector import collector
from pennant_testing.serving.serving_process import serving, worker_pids

pytestmark = pytest.mark.integration

CORNERS = {
    "oldest": ("mlflow==2.9.0", "scikit-learn==1.3.2", "numpy==1.26.0", "pandas==2.0.0"),
    "middle": ("mlflow==2.19.0", "scikit-learn==1.5.2", "numpy==1.26.4", "pandas==2.2.3"),
    "newest": ("mlflow==3.17.2", "scikit-learn>=1.9", "numpy>=2", "pandas>=2.3", "skops"),
}
LOCKS = {"oldest": "bundle-oldest", "middle": "bundle-middle", "newest": "serving"}
TRAIN = """
import sys; sys.path.insert(0, sys.argv[1])
import mlflow.sklearn, numpy as np, pandas as pd
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
rows = pd.DataFrame(np.random.default_rng(0).normal(size=(90, 2)), columns=["a", "b"])
labels = (rows.a > rows.b).astype(int)
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, labels)
signature = infer_signature(rows, model.predict(rows))
mlflow.sklearn.save_model(model, sys.argv[2], signature=signature, input_example=rows[:2],
                          pip_requirements=sys.argv[3:])
"""
ABSENT = ("flask", "sqlalchemy", "alembic", "graphene")
"""Packages of MLflow that mlflow-skinny leaves out, and the image with it."""
REQUEST = {"dataframe_split": {"columns": ["b", "a"], "data": [[-2.0, 2.0], [2.0, -2.0]]}}


@pytest.fixture(scope="session", params=CORNERS)
def corner(request):
    return request.param


@pytest.fixture(scope="session")
def model_path(corner, tmp_path_factory):
    """A bundle that was saved in a corner, with its environment beside it."""
    path = bundle_asking(tmp_path_factory.mktemp("models"), *CORNERS[corner])
    lock = REPOSITORY / "requirements" / f"{LOCKS[corner]}.txt"
    with package_index(wheels(lock, PYTHON)) as index:
        provided(path, index)
    shutil.rmtree(path)
    packages = str(environment_path(path))
    subprocess.run([sys.executable, "-c", TRAIN, packages, path, *CORNERS[corner]], check=True)
    on_volume(path)
    return path


@pytest.fixture
def bare(tmp_path):
    """For PYTHONPATH: as if what the image lacks were not in this environment either."""
    folder = tmp_path / "absent"
    folder.mkdir()
    for name in ABSENT:
        (folder / f"{name}.py").write_text(f'raise ModuleNotFoundError("{name}", name="{name}")')
    return {"PYTHONPATH": str(folder)}


@pytest.mark.parametrize("adapter", ["sklearn", "pyfunc"])
def test_a_model_is_served_by_the_releases_that_it_was_saved_with(
    model_path, adapter, bare, tmp_path
):
    variables = {"PENNANT_ENVIRONMENT": "Bundle", "PENNANT_ADAPTER": adapter, **bare}
    with serving(tmp_path, model_path, **variables) as pod:
        pod.wait_until("/v2/health/ready")
        status, _, body = pod.request("/invocations", REQUEST)
        assert (status, body) == (200, b'{"predictions":[1,0]}')
        named = {"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [2.0, -2.0]}
        assert pod.request("/v2/models/iris/infer", {"inputs": [named]})[0] == 200
        assert b"pennant_serving_environment_info{digest=" in pod.request("/metrics")[2]
        mapped = Path(f"/proc/{pod.process.pid}/maps").read_text()
        assert "EnvironmentDiffers" not in pod.log.read_text()
    packages = {place.split("/")[0] for place in re.findall(r"/environment/(\S+)", mapped)}
    assert {"numpy", "sklearn", "orjson"} <= packages
    assert "site-packages/numpy" not in mapped


def test_workers_have_the_same_environment_and_their_traces_are_sent(model_path, tmp_path):
    """The exporter of traces is the image's, and protobuf is the bundle's."""
    variables = {"PENNANT_ENVIRONMENT": "Bundle", "PENNANT_WORKERS": "2"}
    with collector() as running:
        variables |= {"PENNANT_TRACES_ENDPOINT": running.url, "PENNANT_TRACES_RATIO": "1"}
        with serving(tmp_path, model_path, **variables) as pod:
            pod.wait_until("/v2/health/ready")
            assert pod.request("/invocations", REQUEST)[0] == 200
            assert len(worker_pids(pod)) == 2
            assert '"environment": "' in pod.log.read_text()
        running.wait_for(1)
