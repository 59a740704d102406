"""/metrics/answers of a real server: what it counts, of all workers, over HTTP and gRPC."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import grpc
import pytest

from pennant_dev.ports import free_port
from pennant_serving.grpc.messages import ModelInferRequest
from pennant_testing.serving.moody_pods import ask, moody
from pennant_testing.serving.serving_process import Serving, worker_pids
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration


def report(pod: Serving, seconds: int = 300) -> dict[str, Any]:
    status, _, body = pod.request(f"/metrics/answers?seconds={seconds}")
    assert status == 200, body
    told: dict[str, Any] = json.loads(body)
    return told


def call(port: int, row: float) -> None:
    request = ModelInferRequest(model_name="iris")
    tensor = request.inputs.add(name="x", datatype="FP64", shape=[1])
    tensor.contents.fp64_contents.append(row)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        method = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        method(request.SerializeToString(), timeout=30)


def test_a_third_of_its_answers_are_errors_and_what_asks_no_model_is_not_counted(tmp_path: Path):
    with moody(tmp_path, every=3) as pod:
        assert ask(pod, 30).count(500) == 10
        assert ask(pod, 5, {"no": "instances"}).count(400) == 5
        for path in ("/v2/health/ready", "/ping", "/metrics", "/nope", "/v2/models/iris"):
            pod.request(path)
        assert [pod.request(f"/greet/{name}")[0] for name in "abc"].count(500) == 1
        told = report(pod)
    assert told["answers"] == {"2xx": 22, "4xx": 5, "5xx": 11}
    assert (told["format"], told["model"], told["version"]) == (1, "iris", "7")
    assert sum(told["durations"]["counts"]) == 22


def test_the_workers_of_a_pod_answer_together_and_over_grpc(tmp_path: Path):
    port = free_port()
    env = {"PENNANT_WORKERS": "2", "PENNANT_GRPC_PORT": str(port)}
    with moody(tmp_path, **env) as pod:
        until(lambda: len(worker_pids(pod)) == 2)
        assert set(ask(pod, 40)) == {200}
        for _ in range(4):
            call(port, 1.0)
        # Another worker's last second may be missing.
        until(lambda: report(pod)["answers"] == {"2xx": 44, "4xx": 0, "5xx": 0})
        until(lambda: report(pod, seconds=1)["answers"]["2xx"] == 0)


def test_how_long_its_answers_took_is_told(tmp_path: Path):
    with moody(tmp_path, seconds=0.05) as pod:
        ask(pod, 10)
        durations = report(pod)["durations"]
    bounds = [0, *durations["bounds"]]
    lowest = next(low for low, count in zip(bounds, durations["counts"], strict=True) if count)
    assert lowest >= 0.03


def test_what_the_image_has_otherwise_than_the_bundle_asks_for_is_told_by_all_workers(
    tmp_path: Path,
):
    with moody(tmp_path, requirements="no-such-package==1.0", PENNANT_WORKERS="2") as pod:
        until(lambda: len(worker_pids(pod)) == 2)
        told = {report(pod)["differences"] for _ in range(10)}
    assert told == {"no-such-package 1.0 (here it is not)"}


@pytest.mark.parametrize("seconds", ["0", "-1", "x", "1.5", "", "9" * 400, "%C2%B2"])
def test_what_is_no_number_of_seconds_is_refused(seconds: str, pod: Serving):
    status, _, body = pod.request(f"/metrics/answers?seconds={seconds}")
    assert (status, b"1 to 300" in body) == (400, True)


def test_a_question_for_longer_gets_what_is_remembered(pod: Serving):
    assert report(pod, seconds=900)["seconds"] == 300


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory):
    with moody(tmp_path_factory.mktemp("pod")) as started:
        yield started
