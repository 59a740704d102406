"""Several workers over one port: they answer as one, are replaced, add up, and drain together."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from serving_array_adapter import DIES
from serving_builders import on_volume, sklearn_bundle
from serving_pool_model import PoolEstimator
from serving_process import READY_DEADLINE_SECONDS, Serving, serving
from waiting import PATIENCE, until

from pennant_serving import sharing

pytestmark = pytest.mark.integration

ARRAYS = "serving_array_adapter:ArrayAdapter"
COUNTED = re.compile(
    r'^pennant_serving_request_duration_seconds_count\{.*code="200".*protocol="mlflow".*\} (\S+)',
    re.MULTILINE,
)


@contextlib.contextmanager
def pod(
    folder: Path, adapter: str = ARRAYS, *, load_seconds: str = "0", **variables: str
) -> Iterator[Serving]:
    path = folder / "bundle"
    path.mkdir()
    (path / "load-seconds").write_text(load_seconds)
    on_volume(path)
    with serving(
        folder, path, PENNANT_ADAPTER=adapter, PENNANT_WORKERS="2", **variables
    ) as started:
        yield started


def children(pod: Serving) -> list[int]:
    path = Path(f"/proc/{pod.process.pid}/task/{pod.process.pid}/children")
    return [int(process) for process in path.read_text().split()]


def ask(pod: Serving, first: float = 1.0) -> float:
    status, _, body = pod.request("/invocations", {"instances": [[first, 2.0]]})
    assert status == 200, body
    return json.loads(body)["predictions"][0]


def counted(pod: Serving) -> float:
    return sum(map(float, COUNTED.findall(pod.request("/metrics")[2].decode())))


def published(pod: Serving, count: float) -> Callable[[], bool]:
    """Whether this was counted for longer than a worker keeps its counts to itself."""
    since = time.monotonic()

    def seen() -> bool:
        nonlocal since
        if counted(pod) != count:
            since = time.monotonic()
        return time.monotonic() > since + 1.5 * sharing.SECONDS

    return seen


def test_workers_answer_add_up_are_replaced_and_drain(tmp_path):
    with pod(tmp_path, PENNANT_DRAIN_SECONDS="4") as started:
        started.wait_until("/v2/health/ready")
        assert [ask(started) for _ in range(10)] == [3.0] * 10
        until(published(started, 10))
        until(lambda: len(children(started)) == 2)

        victim = children(started)[0]
        os.kill(victim, signal.SIGKILL)
        until(lambda: len(children(started)) == 2 and victim not in children(started))
        assert [ask(started) for _ in range(10)] == [3.0] * 10
        until(lambda: counted(started) == 20)
        assert "is replaced" in started.log.read_text()

        workers = children(started)
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(timeout=60) == 0
        assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_a_request_that_kills_its_worker_every_time_ends_the_pod_with_a_reason(tmp_path):
    with pod(tmp_path) as started:
        started.wait_until("/v2/health/ready")
        deadline = time.monotonic() + PATIENCE
        while started.process.poll() is None:
            assert time.monotonic() < deadline
            with contextlib.suppress(OSError, AssertionError, EOFError):
                ask(started, DIES)
        assert (started.process.returncode, started.reason()) == (1, "StartFailed")


@pytest.mark.parametrize(
    ("adapter", "reason"),
    [("nowhere:Class", "LoadFailed"), ("serving_builders:Echo", "SelfTestFailed")],
)
def test_a_version_that_cannot_be_served_ends_all_workers_with_its_reason(
    tmp_path, adapter, reason
):
    with pod(tmp_path, adapter, PENNANT_SELF_TEST="Required") as started:
        assert started.process.wait(timeout=READY_DEADLINE_SECONDS) == 1
        assert started.reason() == reason


def test_the_server_is_live_before_the_model_is_loaded_and_may_be_ended_then(tmp_path):
    with pod(tmp_path, "serving_slow_adapter:SlowAdapter", load_seconds="300") as started:
        started.wait_until("/v2/health/live")
        assert started.request("/v2/health/ready")[0] == 503
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(timeout=60) == 0


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
        (save_nothing, "serving_pool_model:PoolAdapter", {"instances": [4.0]}),
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
        until(lambda: len(children(started)) == 2)
        for _ in range(12):  # whichever worker takes it
            status, _, answer = started.request("/invocations", body)
            assert (status, json.loads(answer)) == (200, {"predictions": [8.0]})
