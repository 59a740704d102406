"""What a fork would break is loaded by each worker."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pandas as pd
import pytest

from pennant_testing.serving.adapters import (
    THREAD_POOL,
)
from pennant_testing.serving.adapters.thread_pool_model import PoolEstimator
from pennant_testing.serving.app_builders import on_volume, sklearn_bundle
from pennant_testing.serving.serving_process import (
    serving,
    worker_pids,
)
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration


POOLED = """
from concurrent.futures import ThreadPoolExecutor

from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class Pooled(PythonModel):
    def load_context(self, context):
        self.pool = ThreadPoolExecutor(1)
        self.pool.submit(int).result()

    def predict(self, context, model_input, params=None):
        values = model_input["a"].tolist()
        return [self.pool.submit(lambda x: 2 * x, each).result(timeout=20) for each in values]


set_model(Pooled())
"""


def save_pyfunc(path: Path) -> None:
    """MLflow's model with a pool that `load_context` makes, and an example."""
    code = path.with_name("model.py")
    code.write_text(POOLED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, about type hints and signatures
        from mlflow.pyfunc import save_model

        example = pd.DataFrame({"a": [1.0]})
        save_model(path, python_model=str(code), input_example=example, pip_requirements=["pandas"])


def save_sklearn(path: Path) -> None:
    sklearn_bundle(path, PoolEstimator().fit([[1.0]]))


def save_nothing(path: Path) -> None:
    path.mkdir()
    (path / "any").write_text("")


@pytest.mark.parametrize(
    ("save", "adapter", "body"),
    [
        (save_pyfunc, "auto", {"dataframe_records": [{"a": 4.0}]}),
        (save_nothing, THREAD_POOL, {"instances": [4.0]}),
        (save_sklearn, "auto", {"instances": [[4.0]]}),
    ],
    ids=["pyfunc", "an adapter of one's own", "an estimator of one's own"],
)
@pytest.mark.filterwarnings("ignore:.*type hints")  # MLflow's own, about hints
def test_what_a_fork_would_break_is_loaded_by_each_worker(tmp_path, save, adapter, body):
    path = tmp_path / "bundle"
    save(path)
    on_volume(path)
    with serving(tmp_path, path, PENNANT_ADAPTER=adapter, PENNANT_WORKERS="2") as started:
        started.wait_until("/v2/health/ready")
        until(lambda: len(worker_pids(started)) == 2)
        for _ in range(12):  # whichever worker takes it
            status, _, answer = started.request("/invocations", body)
            assert (status, json.loads(answer)) == (200, {"predictions": [8.0]})
