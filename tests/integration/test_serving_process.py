"""A serving process with real models: every endpoint, and every way not to start."""

from __future__ import annotations

import json
import re
import signal
import socket
import warnings
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from mlflow.models import infer_signature
from mlflow.sklearn import save_model
from sklearn.linear_model import LinearRegression

from pennant_registry import digest
from pennant_testing.serving.adapters import ECHO, SLOW
from pennant_testing.serving.app_builders import on_volume
from pennant_testing.serving.serving_process import READY_DEADLINE_SECONDS, Serving, serving
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

ROWS = pd.DataFrame({"a": [0.0, 1.0, 0.0], "b": [0.0, 0.0, 1.0]})
RECORDS = [{"b": 1, "a": 0}, {"b": 2, "a": 1}]


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume as fetch leaves it, with a model that predicts a + 10 b."""
    path = tmp_path_factory.mktemp("models") / "bundle"
    model = LinearRegression().fit(ROWS, [0.0, 1.0, 10.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, about its own
        signature = infer_signature(ROWS, model.predict(ROWS))
        # Named, because MLflow takes long to find them out.
        needs = {"pip_requirements": ["scikit-learn"]}
        save_model(model, path, signature=signature, input_example=ROWS, **needs)
    on_volume(path)
    return path


@pytest.fixture(scope="module", params=["auto", "pyfunc"])
def pod(request, model_path, tmp_path_factory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("pod")
    with serving(folder, model_path, PENNANT_ADAPTER=request.param) as started:
        started.wait_until("/v2/health/ready")
        yield started


def predictions(answer: tuple[int, dict[str, str], bytes]) -> list[float]:
    assert answer[0] == 200, answer
    return json.loads(answer[2])["predictions"]


def test_every_form_of_invocations_is_answered(pod):
    split = {"columns": ["b", "a"], "data": [[1, 0], [2, 1]]}
    bodies = [
        {"dataframe_split": split},
        {"dataframe_records": RECORDS},
        {"instances": RECORDS},
        {"instances": [[0, 1], [1, 2]]},
        {"inputs": {"a": [0, 1], "b": [1, 2]}},
    ]
    for body in bodies:
        assert predictions(pod.request("/invocations", body)) == pytest.approx([10, 21]), body


def test_numbers_are_served_by_the_native_adapter_without_pandas(model_path, tmp_path):
    with serving(tmp_path, model_path, PENNANT_ADAPTER="sklearn") as pod:
        pod.wait_until("/v2/health/ready")
        answer = pod.request("/invocations", {"dataframe_records": RECORDS})
        assert predictions(answer) == pytest.approx([10, 21])
        mapped = Path(f"/proc/{pod.process.pid}/maps").read_text()
        assert "/sklearn/" in mapped
        assert "/pandas/" not in mapped


def test_v2_is_answered_by_matrix_and_by_columns(pod):
    matrix = {"name": "x", "shape": [2, 2], "datatype": "FP64", "data": [0, 1, 1, 2]}
    a = {"name": "a", "shape": [2], "datatype": "INT64", "data": [0, 1]}
    b = {"name": "b", "shape": [2, 1], "datatype": "FP32", "data": [1, 2]}
    for inputs in ([matrix], [b, a]):
        status, _, body = pod.request("/v2/models/iris/versions/7/infer", {"inputs": inputs})
        assert status == 200, body
        assert json.loads(body)["outputs"][0]["data"] == pytest.approx([10, 21])


def test_the_metadata_come_from_the_signature(pod):
    _, _, body = pod.request("/v2/models/iris")
    assert json.loads(body)["inputs"][0] == {"name": "a", "datatype": "FP64", "shape": [-1]}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"dataframe_records": [{"a": 1}]}, "missing columns: b"),
        ({"instances": [[1]]}, "the model takes a (double), b (double)"),
        ({"dataframe_records": [{"a": "x", "b": 2}]}, "float64"),
    ],
)
def test_rows_that_do_not_fit_are_the_clients_fault(pod, body, says):
    status, _, answer = pod.request("/invocations", body)
    assert status == 400
    assert says in json.loads(answer)["message"]


@pytest.mark.parametrize("path", ["/v2", "/ping", "/version", "/metrics", "/nope", "/v2/models/x"])
def test_every_response_says_which_version_answered(pod, path):
    _, headers, _ = pod.request(path)
    assert (headers["x-pennant-model"], headers["x-pennant-version"]) == ("iris", "7")


def test_even_a_request_that_is_not_http_is_told_the_version(pod):
    with socket.create_connection(("127.0.0.1", pod.port), timeout=60) as raw:
        raw.sendall(b"nonsense\r\n\r\n")
        assert b"x-pennant-version: 7" in raw.recv(65536)


def test_the_start_is_one_line_of_the_log_and_the_same_in_the_metrics(pod):
    def whole() -> list[str]:
        lines = pod.log.read_text().rpartition("\n")[0].splitlines()
        return [each for each in lines if each.startswith("{")]

    (line,) = until(whole)  # it comes after the readiness
    entry = json.loads(line)
    assert entry["event"] == "ready"
    assert abs(entry["time"] - entry["seconds"] - pod.begun) < 5
    assert list(entry["phases"]) == ["process", "import", "load", "self-test", "batching"]
    assert 0 < max(entry["phases"].values()) < entry["seconds"] < READY_DEADLINE_SECONDS
    assert entry["notes"]["batching"].startswith("requests are predicted ")

    found = re.findall(
        r'^pennant_serving_start_seconds{.*phase="(.*?)".*} (.*)$',
        pod.request("/metrics")[2].decode(),
        re.MULTILINE,
    )
    assert {name: round(float(seconds), 3) for name, seconds in found} == entry["phases"]


def test_the_metrics_have_the_digest_of_what_is_served(pod, model_path):
    labels = f'digest="{digest.of_path(model_path)}",model="iris",version="7"'
    assert f"pennant_serving_info{{{labels}}} 1.0" in pod.request("/metrics")[2].decode()


def test_the_server_is_live_before_the_model_is_loaded(tmp_path):
    path = slow_bundle(tmp_path, load_seconds="300")
    with serving(tmp_path, path, PENNANT_ADAPTER=SLOW) as pod:
        pod.wait_until("/v2/health/live")
        assert pod.request("/v2/health/ready")[0] == 503
        assert pod.request("/invocations", {"instances": [0]})[0] == 503
        pod.process.send_signal(signal.SIGTERM)
        assert pod.process.wait(timeout=60) == 0


def test_an_adapters_routes_are_served(tmp_path):
    with serving(tmp_path, slow_bundle(tmp_path), PENNANT_ADAPTER=SLOW) as pod:
        pod.wait_until("/v2/health/ready")
        assert json.loads(pod.request("/greet/U1")[2]) == {"user": "U1"}


@pytest.mark.parametrize(
    ("variables", "reason", "says"),
    [
        ({"PENNANT_MODEL_VERSION": "8"}, "DigestMismatch", "this pod is for version 8"),
        ({"PENNANT_ADAPTER": "auto"}, "LoadFailed", "set serving.adapter"),
        ({"PENNANT_ADAPTER": "nowhere:Class"}, "LoadFailed", "ModuleNotFoundError"),
        (
            {
                "PENNANT_ADAPTER": ECHO,
                "PENNANT_SELF_TEST": "Required",
            },
            "SelfTestFailed",
            "it has none",
        ),
        ({"PENNANT_PORT": "none"}, "StartFailed", "PENNANT_PORT='none'"),
    ],
    ids=lambda value: value if isinstance(value, str) and value[0].isupper() else "",
)
def test_a_version_that_cannot_be_served_ends_the_process_with_its_reason(
    tmp_path, variables, reason, says
):
    path = slow_bundle(tmp_path)
    with serving(tmp_path, path, **({"PENNANT_ADAPTER": SLOW} | variables)) as pod:
        assert pod.process.wait(timeout=READY_DEADLINE_SECONDS) == 1
        assert (pod.reason(), says in pod.termination_log.read_text()) == (reason, True)


def test_a_port_in_use_is_a_failed_start(tmp_path):
    with serving(tmp_path, slow_bundle(tmp_path), PENNANT_ADAPTER=SLOW) as first:
        first.wait_until("/v2/health/live")
        other = tmp_path / "other"
        other.mkdir()
        with serving(other, tmp_path / "bundle", PENNANT_PORT=str(first.port)) as second:
            assert second.process.wait(timeout=READY_DEADLINE_SECONDS) == 1
            assert second.reason() == "StartFailed"


def slow_bundle(folder: Path, load_seconds: str = "0") -> Path:
    path = folder / "bundle"
    path.mkdir()
    (path / "load-seconds").write_text(load_seconds)
    on_volume(path, kind="file")
    return path
