"""Models with code of somebody's own, in a real process: they wait, bring modules, mix rows."""

from __future__ import annotations

import json
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from pennant_testing.serving.app_builders import on_volume, sklearn_bundle
from pennant_testing.serving.odd_estimators import Odd, Waits
from pennant_testing.serving.serving_process import Serving, serving

pytestmark = pytest.mark.integration

SECONDS = 0.3
ROW = {"instances": [[1.0, 2.0]]}


def notes(pod: Serving) -> Any:
    """Of its ready line."""
    lines = [line for line in pod.log.read_text().splitlines() if '"event": "ready"' in line]
    return json.loads(lines[-1])["notes"]


def test_who_waits_for_a_service_holds_up_nobody_and_is_timed_out(tmp_path):
    folder = sklearn_bundle(tmp_path / "bundle", Waits(SECONDS).fit([[0, 1]]))
    (folder / "example.json").write_text(json.dumps({"inputs": ROW["instances"]}))
    with (folder / "MLmodel").open("a") as file:
        file.write("\nsaved_input_example_info: {serving_input_path: example.json}\n")
    on_volume(folder)
    with serving(tmp_path, folder, PENNANT_REQUEST_TIMEOUT="0.2") as pod:
        # Its self-test takes longer than a request may.
        assert pod.process.wait(timeout=60) == 1
        assert pod.reason() == "SelfTestFailed"
    with serving(tmp_path, folder) as pod:
        pod.wait_until("/v2/health/ready")
        assert "event loop" not in notes(pod)["batching"]
        with ThreadPoolExecutor(4) as threads:
            asked = [threads.submit(pod.request, "/invocations", ROW) for _ in range(8)]
            slowest = 0.0
            while not all(each.done() for each in asked):
                started = time.monotonic()
                assert pod.request("/v2/health/live")[0] == 200
                slowest = max(slowest, time.monotonic() - started)
        assert {each.result()[0] for each in asked} == {200}
        assert slowest < SECONDS


SHARE = """
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class Share(PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input["a"] / model_input["a"].max()


set_model(Share())
"""


def save_estimator(folder: Path) -> None:
    sklearn_bundle(folder, Odd("its share of the largest").fit([[0, 1]]))


def save_pyfunc(folder: Path) -> None:
    """With an example of one row, which shows nothing."""
    code = folder.with_name("share.py")
    code.write_text(SHARE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, about its own
        from mlflow.pyfunc import save_model

        example = pd.DataFrame({"a": [2.0]})
        save_model(folder, python_model=str(code), input_example=example, pip_requirements=[])


@pytest.mark.filterwarnings("ignore:.*type hints")  # MLflow's own, about hints
@pytest.mark.parametrize(
    ("save", "columns"), [(save_estimator, ["a", "b"]), (save_pyfunc, ["a"])],
    ids=["an estimator without an example", "a pyfunc with one"],
)  # fmt: skip
def test_two_clients_of_a_model_that_mixes_rows_get_their_own_answers(tmp_path, save, columns):
    folder = tmp_path / "bundle"
    save(folder)
    on_volume(folder)

    def body(*values: float) -> Any:
        rows = [[value, 0.0][: len(columns)] for value in values]
        return {"dataframe_split": {"columns": columns, "data": rows}}

    with serving(tmp_path, folder) as pod:
        pod.wait_until("/v2/health/ready")
        assert "one by one" in notes(pod)["batching"]
        answers, stop = set(), threading.Event()

        def disturb() -> None:
            while not stop.is_set():
                pod.request("/invocations", body(1.0, 100.0))

        with ThreadPoolExecutor(2) as threads:
            threads.submit(disturb)
            try:
                for _ in range(60):
                    answer = pod.request("/invocations", body(1.0, 4.0))[2]
                    found = json.loads(answer)["predictions"]
                    answers.add(tuple(v if isinstance(v, float) else v["a"] for v in found))
            finally:
                stop.set()
        assert answers == {(0.25, 1.0)}


STEP = """
from sklearn.base import BaseEstimator, TransformerMixin


class Doubled(TransformerMixin, BaseEstimator):
    def fit(self, x, y=None):
        return self

    def transform(self, x):
        return 2 * x
"""


def test_auto_serves_a_step_that_the_bundle_brings_by_mlflow_and_says_so(tmp_path, monkeypatch):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "doubled_step.py").write_text(STEP)
    monkeypatch.syspath_prepend(tmp_path / "code")
    from doubled_step import Doubled  # type: ignore[import-not-found]

    table = pd.DataFrame({"a": [0.0, 1.0, 2.0]})
    model = make_pipeline(Doubled(), LinearRegression()).fit(table, np.array([0.0, 1.0, 2.0]))
    folder: Path = tmp_path / "bundle"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, about its own
        from mlflow.sklearn import save_model

        save_model(
            model, folder, code_paths=[str(tmp_path / "code" / "doubled_step.py")],
            input_example=table, pip_requirements=[], serialization_format="cloudpickle",
        )  # fmt: skip
    on_volume(folder)
    with serving(tmp_path, folder) as pod:
        pod.wait_until("/v2/health/ready")
        status, _, body = pod.request("/invocations", {"dataframe_records": [{"a": 5.0}]})
        assert (status, json.loads(body)["predictions"]) == (200, pytest.approx([5.0]))
        assert notes(pod)["load"] == "adapter pyfunc: the bundle brings code of its own"
