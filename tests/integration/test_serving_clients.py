"""Clients that know nothing of us: Triton's by HTTP and gRPC, MLflow's, and curl as documented."""

from __future__ import annotations

import re
import signal
import subprocess
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import grpc
import numpy as np
import pandas as pd
import pytest
import tritonclient.grpc
import tritonclient.http
from mlflow.models import infer_signature
from mlflow.sklearn import save_model
from sklearn.linear_model import LogisticRegression
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

from pennant_dev.ports import free_port
from pennant_serving.grpc.messages import HealthCheckResponse, message
from pennant_testing.serving.adapters import SLOW
from pennant_testing.serving.adapters.slow_adapter import computes
from pennant_testing.serving.app_builders import on_volume
from pennant_testing.serving.serving_process import Serving, serving
from pennant_testing.waiting import WAIT_SECONDS, until

pytestmark = pytest.mark.integration

DOCS = (Path(__file__).parents[2] / "docs" / "serving.md").read_text()
ROWS = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [0.0, 1.0, 0.0, 1.0]})
CLASSES = ["no", "no", "yes", "yes"]


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def pod(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("pod")
    path = folder / "models" / "bundle"
    model = LogisticRegression(C=100).fit(ROWS, CLASSES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, about its own
        # Named, because MLflow takes long to find them out.
        needs = {"pip_requirements": ["scikit-learn"]}
        save_model(model, path, signature=infer_signature(ROWS, model.predict(ROWS)), **needs)
    on_volume(path)
    with serving(folder, path, PENNANT_GRPC_PORT=str(port)) as started:
        started.wait_until("/v2/health/ready")
        yield started


@pytest.fixture(params=[tritonclient.http, tritonclient.grpc], ids=["http", "grpc"])
def triton(request, pod, port):
    library: ModuleType = request.param
    where = pod.port if library is tritonclient.http else port
    with library.InferenceServerClient(f"127.0.0.1:{where}") as client:
        client.library = library
        yield client


def inputs(library: ModuleType, **columns: np.ndarray) -> list:
    made = []
    for name, values in columns.items():
        datatype = {"f": "FP", "i": "INT"}[values.dtype.kind] + str(values.dtype.itemsize * 8)
        made.append(library.InferInput(name, values.shape, datatype))
        made[-1].set_data_from_numpy(values)
    return made


def test_tritons_client_asks_for_health_and_metadata(triton):
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready("iris", "7")
    assert "binary_tensor_data" in str(triton.get_server_metadata())
    assert "predict_proba" in str(triton.get_model_metadata("iris"))


def test_tritons_client_gets_predictions_probabilities_and_classes(triton):
    library = triton.library
    wanted = [library.InferRequestedOutput(n) for n in ("predict", "predict_proba", "classes")]
    matrix = inputs(library, x=ROWS.to_numpy(dtype="float32"))
    found = triton.infer("iris", matrix, "7", outputs=wanted, request_id="42")
    assert found.as_numpy("predict").tolist() == [b"no", b"no", b"yes", b"yes"]
    assert found.as_numpy("predict_proba").sum(axis=1) == pytest.approx([1, 1, 1, 1])
    assert found.as_numpy("classes").tolist() == [b"no", b"yes"]


def test_tritons_client_sends_columns(triton):
    columns = inputs(triton.library, b=np.array([[0], [1]]), a=np.array([[0.0], [3.0]]))
    found = triton.infer("iris", columns)
    assert found.as_numpy("predict").tolist() == [b"no", b"yes"]


def test_tritons_client_is_told_what_is_wrong(triton):
    refused = {"iris": (3, "need 2"), "other": (2, "version 7 of iris")}
    for model, (width, says) in refused.items():
        with pytest.raises(InferenceServerException, match=says) as raised:
            triton.infer(model, inputs(triton.library, x=np.zeros((1, width))))
        assert any(code in raised.value.status() for code in ("40", "INVALID", "NOT_FOUND"))


def test_mlflows_client_gets_predictions(pod):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its import warns about type hints of its own
        from mlflow.pyfunc.scoring_server.client import ScoringServerClient
    client = ScoringServerClient("127.0.0.1", pod.port)
    client.ping()
    assert client.get_version().startswith("3.")
    assert list(client.invoke(ROWS).get_predictions()[0]) == CLASSES


def test_the_documented_commands_work_as_they_are_written(pod):
    (block,) = re.findall(r"```sh\n(.*?curl.*?)```", DOCS, re.DOTALL)
    script = "set -e\n" + block.replace("localhost:8080", f"127.0.0.1:{pod.port}")
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.count("predict") >= 3


def test_grpc_answers_carry_the_identity_and_errors_their_code(pod, port):
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        answer, call = stub.ModelReady.with_call(service_pb2.ModelReadyRequest(name="iris"))
        identity = {"x-pennant-model": "iris", "x-pennant-version": "7"}
        assert answer.ready
        assert identity.items() <= dict(call.initial_metadata()).items()
        with pytest.raises(grpc.RpcError) as raised:
            stub.ModelMetadata(service_pb2.ModelMetadataRequest(name="iris", version="8"))
        assert raised.value.code() is grpc.StatusCode.NOT_FOUND
        assert identity.items() <= dict(raised.value.initial_metadata()).items()
        assert health(channel, "") == health(channel, "inference.GRPCInferenceService") == "SERVING"
    text = pod.request("/metrics")[2].decode()
    assert 'route="/inference.GRPCInferenceService/ModelReady"' in text


def health(channel: grpc.Channel, service: str) -> str:
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        lambda name: message("grpc.health.v1.HealthCheckRequest")(service=name).SerializeToString(),
        HealthCheckResponse.FromString,
    )
    states = HealthCheckResponse.DESCRIPTOR.fields_by_name["status"].enum_type.values_by_number
    return str(states[check(service).status].name)


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[tuple[Serving, grpc.Channel]]:
    path, port = tmp_path / "bundle", free_port()
    path.mkdir()
    on_volume(path)
    variables = {"PENNANT_ADAPTER": SLOW, "PENNANT_MAX_CONNECTION_AGE": "0.5"}
    variables |= {"PENNANT_GRPC_PORT": str(port), "PENNANT_DRAIN_SECONDS": "16"}
    with serving(tmp_path, path, **variables) as started:
        started.wait_until("/v2/health/ready")
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield started, channel


def ask(channel: grpc.Channel, seconds: float) -> float:
    request = service_pb2.ModelInferRequest(model_name="iris")
    contents = service_pb2.InferTensorContents(fp64_contents=[seconds])
    request.inputs.add(name="x", datatype="FP64", shape=[1], contents=contents)
    stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
    return stub.ModelInfer(request, timeout=60).outputs[0].contents.fp64_contents[0]


def test_grpc_connections_end_by_age_without_a_failed_call(slow):
    _, channel = slow
    stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
    changes: list[grpc.ChannelConnectivity] = []
    channel.subscribe(changes.append)
    deadline = time.monotonic() + WAIT_SECONDS
    while changes.count(grpc.ChannelConnectivity.READY) < 4:
        assert time.monotonic() < deadline
        assert stub.ServerLive(service_pb2.ServerLiveRequest(), timeout=60).live
        assert ask(channel, 0.01) == 0.01


def test_a_grpc_call_in_flight_at_sigterm_is_finished(slow):
    pod, channel = slow
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(ask, channel, 2.5)
        until(lambda: computes(pod.log.parent / "bundle", 2.5))
        pod.process.send_signal(signal.SIGTERM)
        assert asked.result(timeout=60) == 2.5
    assert pod.process.wait(timeout=60) == 0
