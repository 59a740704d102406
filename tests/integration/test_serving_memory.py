"""Out of memory: who asks for too much is told so, and the others are answered."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from pennant_dev.ports import free_port
from pennant_serving.codecs.size import VALUE_LIMIT
from pennant_serving.grpc.messages import ModelInferRequest, ModelInferResponse
from pennant_testing.serving.adapters import GREEDY, SLOW
from pennant_testing.serving.adapters.greedy_adapter import ROOM_MIB
from pennant_testing.serving.app_builders import any_on_volume
from pennant_testing.serving.serving_process import JSON, Serving, serving, worker_pids
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

BOMBS = {
    "empty lists": ("/invocations", b'{"instances":[' + b"[]," * VALUE_LIMIT + b"[]]}"),
    "records of one key each": (
        "/invocations",
        json.dumps({"dataframe_records": [{str(n): 1} for n in range(5000)]}).encode(),
    ),
    "small numbers": (
        "/v2/models/iris/infer",
        b'{"inputs":[{"name":"x","shape":[1],"datatype":"INT8","data":[%s1]}]}'
        % (b"1," * VALUE_LIMIT),
    ),
}


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, int]]:
    folder, port = tmp_path_factory.mktemp("greedy"), free_port()
    variables = {"PENNANT_ADAPTER": GREEDY}
    with serving(
        folder, any_on_volume(folder), PENNANT_GRPC_PORT=str(port), **variables
    ) as started:
        started.wait_until("/v2/health/ready")
        yield started, port


def post(pod: Serving, path: str, body: bytes) -> tuple[int, dict[str, str]]:
    connection = pod.connect()
    connection.request("POST", path, body, JSON)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def answers(pod: Serving, row: int = 1) -> bool:
    return pod.request("/invocations", {"instances": [row]})[0] == 200


def test_a_prediction_beyond_the_memory_is_a_507_and_the_process_goes_on(pod):
    started, _ = pod
    for _ in range(3):
        status, _, body = started.request("/invocations", {"instances": [2 * ROOM_MIB]})
        assert status == 507
        assert "not enough memory to answer this" in json.loads(body)["message"]
        assert answers(started)


def test_who_shares_a_batch_with_it_is_answered(pod):
    started, _ = pod
    found: list[int] = []

    def ask(mib: int) -> None:
        found.append(started.request("/invocations", {"instances": [mib]})[0])

    asking = [threading.Thread(target=ask, args=(mib,)) for mib in (1, 2 * ROOM_MIB, 1, 1)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert sorted(found) == [200, 200, 200, 507]


def test_by_grpc_it_is_resource_exhausted(pod):
    started, port = pod
    request = ModelInferRequest(model_name="iris")
    tensor = request.inputs.add(name="x", datatype="INT32", shape=[1])
    tensor.contents.int_contents.append(2 * ROOM_MIB)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=ModelInferRequest.SerializeToString,
            response_deserializer=ModelInferResponse.FromString,
        )
        with pytest.raises(grpc.RpcError) as raised:
            call(request, timeout=60)
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert answers(started)


@pytest.mark.parametrize(("path", "body"), BOMBS.values(), ids=BOMBS)
def test_a_body_that_would_become_too_much_is_a_413_that_says_so(pod, path, body):
    started, _ = pod
    status, answer = post(started, path, body)
    assert (status, "fewer rows" in str(answer)) == (413, True), answer
    assert answers(started)


def test_a_worker_that_the_kernel_kills_takes_only_its_own_requests_with_it(tmp_path):
    variables = {
        "PENNANT_ADAPTER": SLOW,
        "PENNANT_WORKERS": "2",
    }
    with serving(tmp_path, any_on_volume(tmp_path), **variables) as started:
        started.wait_until("/v2/health/ready")
        until(lambda: len(worker_pids(started)) == 2)
        victim, other = worker_pids(started)
        with stopped(other):
            lost = asked_of(victim, started)
        os.kill(victim, signal.SIGSTOP)
        answered = asked_of(other, started)
        os.kill(victim, signal.SIGKILL)
        assert answers(started, row=0)
        for each in (lost, answered):
            each.join()
        assert (lost.outcome, answered.outcome) == ("cut off", "answered")
        until(lambda: len(worker_pids(started)) == 2 and victim not in worker_pids(started))


@contextlib.contextmanager
def stopped(worker: int) -> Iterator[None]:
    """While it is stopped, the other one accepts every connection."""
    os.kill(worker, signal.SIGSTOP)
    yield
    os.kill(worker, signal.SIGCONT)


def asked_of(worker: int, pod: Serving) -> Asking:
    """A request that this worker has taken."""
    before = sockets(worker)
    asking = Asking(pod)
    until(lambda: bool(sockets(worker) - before))
    return asking


class Asking(threading.Thread):
    """One request that takes a while, and what came of it."""

    def __init__(self, pod: Serving) -> None:
        super().__init__()
        self.outcome = "nothing"
        self._connection = pod.connect()
        self._connection.request("POST", "/invocations", json.dumps({"instances": [3]}), JSON)
        self.start()

    def run(self) -> None:
        try:
            self.outcome = {200: "answered"}.get(self._connection.getresponse().status, "failed")
        except ConnectionError:
            self.outcome = "cut off"


def sockets(process: int) -> set[str]:
    links = set()
    for path in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            links.add(str(path.readlink()))
    return {link for link in links if link.startswith("socket:")}
