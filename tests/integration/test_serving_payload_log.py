"""The payload log of a real process, over every protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from pennant_dev.ports import free_port
from pennant_serving.grpc.messages import ModelInferRequest, message
from pennant_testing.serving.app_builders import on_volume, sklearn_bundle
from pennant_testing.serving.serving_process import Serving, serving
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

SIGNATURE = '[{"type": "double", "name": "a"}, {"type": "double", "name": "secret"}]'
INFER = "/v2/models/iris/infer"
MATRIX = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]}
REDACTED = [{"a": 1.0, "secret": "[redacted]"}]


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that answers a + 10 secret."""
    model = LinearRegression().fit(np.array([[0, 0], [1, 0], [0, 1]]), [0, 1, 10])
    path = sklearn_bundle(tmp_path_factory.mktemp("models") / "bundle", model, inputs=SIGNATURE)
    on_volume(path)
    return path


@pytest.fixture(scope="module")
def grpc_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def pod(model_path: Path, grpc_port: int, tmp_path_factory) -> Iterator[Serving]:
    variables = {"PENNANT_PAYLOAD_LOG_RATIO": "1", "PENNANT_PAYLOAD_LOG_REDACT": "secret,other"}
    folder = tmp_path_factory.mktemp("pod")
    with serving(folder, model_path, PENNANT_GRPC_PORT=str(grpc_port), **variables) as started:
        started.wait_until("/v2/health/ready")
        yield started


def logged(pod: Serving, path: str, body: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """The headers of an answer, and the line that it left."""
    before = len(pod.logged())
    _, headers, _ = pod.request(path, body)
    (line,) = until(lambda: pod.logged()[before:])
    return headers, line


@pytest.mark.parametrize(
    ("path", "body", "protocol", "route"),
    [
        (INFER, MATRIX, "v2", "/v2/models/{model}/infer"),
        ("/invocations", {"inputs": [[1, 2]]}, "mlflow", "/invocations"),
        ("/invocations", {"dataframe_records": [{"a": 1, "secret": 2}]}, "mlflow", "/invocations"),
    ],
)
def test_a_request_is_a_line_with_what_was_asked_and_answered(pod, path, body, protocol, route):
    headers, line = logged(pod, path, body)
    assert line.pop("time").endswith("+00:00")
    assert line.pop("seconds") > 0
    assert line.pop("outputs") == {"predict": [pytest.approx(21)]}
    assert line == {
        "id": headers["x-request-id"], "model": "iris", "version": "7", "protocol": protocol,
        "route": route, "inputs": REDACTED, "status": 200,
    }  # fmt: skip


def test_a_call_by_grpc_is_such_a_line(pod, grpc_port):
    asked, before = ModelInferRequest(model_name="iris"), len(pod.logged())
    asked.inputs.add(name="x", shape=[1, 2], datatype="FP64", contents={"fp64_contents": [1, 2]})
    with grpc.insecure_channel(f"localhost:{grpc_port}") as channel:
        call = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=ModelInferRequest.SerializeToString,
            response_deserializer=message("inference.ModelInferResponse").FromString,
        )
        call(asked, metadata=[("x-request-id", "mine")], timeout=60)
    (line,) = until(lambda: pod.logged()[before:])
    assert (line["id"], line["protocol"], line["status"]) == ("mine", "grpc", "OK")
    assert (line["inputs"], line["outputs"]) == (REDACTED, {"predict": [pytest.approx(21)]})


def test_a_request_that_fails_tells_no_answer(pod):
    _, line = logged(pod, "/invocations", {"instances": []})
    assert (line["status"], line["inputs"], line["outputs"]) == (400, None, None)


def test_other_requests_are_not_told(pod):
    before = len(pod.logged())
    for path in ("/metrics", "/v2/models/iris", "/nope"):
        pod.request(path)
    headers, _ = logged(pod, INFER, MATRIX)  # what comes before it in the log is there by now
    assert [line["id"] for line in pod.logged()[before:]] == [headers["x-request-id"]]


def test_a_share_of_the_requests_is_told_and_the_others_take_the_short_way(model_path, tmp_path):
    with serving(tmp_path, model_path, PENNANT_PAYLOAD_LOG_RATIO="0.5") as pod:
        pod.wait_until("/v2/health/ready")
        answers = [pod.request(INFER, MATRIX)[1] for _ in range(60)]
        drawn = [headers["x-request-id"] for headers in answers if "x-request-id" in headers]
        until(lambda: drawn == [line["id"] for line in pod.logged()])
        assert 5 < len(drawn) < 55
