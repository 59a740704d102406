"""Several workers over one port: they answer as one, are replaced, add up, and drain together."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from pennant_dev.ports import free_port
from pennant_serving.grpc.messages import ModelInferRequest
from pennant_serving.metrics import sharing
from pennant_testing.serving.adapters import (
    ARRAY,
    BLOCKING,
    ECHO,
    OWN_SLOW,
    SLOW,
)
from pennant_testing.serving.adapters.array_adapter import DIES
from pennant_testing.serving.app_builders import on_volume
from pennant_testing.serving.serving_process import (
    READY_DEADLINE_SECONDS,
    Serving,
    serving,
    worker_pids,
)
from pennant_testing.waiting import WAIT_SECONDS, until

pytestmark = pytest.mark.integration

AGES = "600.5"
"""Seconds."""
FOR_EVER = {"instances": [float(AGES)]}
COUNTED = re.compile(
    r'^pennant_serving_request_duration_seconds_count\{.*code="200".*protocol="mlflow".*\} (\S+)',
    re.MULTILINE,
)


@contextlib.contextmanager
def pod(
    folder: Path, adapter: str = ARRAY, *, load_seconds: str = "0", **variables: str
) -> Iterator[Serving]:
    path = folder / "bundle"
    path.mkdir()
    (path / "load-seconds").write_text(load_seconds)
    on_volume(path)
    env = {"PENNANT_ADAPTER": adapter, "PENNANT_WORKERS": "2"} | variables
    with serving(folder, path, **env) as started:
        yield started


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
        return time.monotonic() > since + 1.5 * sharing.PUBLISH_SECONDS

    return seen


def replaced(pod: Serving, victim: int) -> Callable[[], bool]:
    """Whether another worker stands in the place of this one."""
    return lambda: len(worker_pids(pod)) == 2 and victim not in worker_pids(pod)


def statuses(pod: Serving, path: str, body: Any = None) -> set[int]:
    """Of so many connections that each worker that accepts any gets some of them."""
    return {pod.request(path, body)[0] for _ in range(20)}


def status_by_grpc(port: int, seconds: float) -> str:
    """Of a call on a connection of its own."""
    request = ModelInferRequest(model_name="iris")
    tensor = request.inputs.add(name="x", datatype="FP64", shape=[1])
    tensor.contents.fp64_contents.append(seconds)
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        try:
            call(request.SerializeToString(), timeout=60)
        except grpc.RpcError as error:
            return str(error.code().name)
    return "OK"


def all_answer(pod: Serving, port: int) -> bool:
    """Whether whoever accepts, at either port, also answers."""
    asked = statuses(pod, "/invocations", {"instances": [0.0]})
    return (asked, {status_by_grpc(port, 0.0) for _ in range(10)}) == ({200}, {"OK"})


@contextlib.contextmanager
def stopped(worker: int) -> Iterator[None]:
    """While it is stopped, the other one accepts every connection."""
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


def never_ends(pod: Serving, folder: Path, predictions: int = 4) -> list[threading.Thread]:
    """As many predictions as a worker has threads, of whoever accepts now; when they have begun."""
    asking = []
    for begun in range(1, predictions + 1):
        asking.append(threading.Thread(target=pod.request, args=("/invocations", FOR_EVER)))
        asking[-1].start()
        until(lambda so_many=begun: (folder / "begun").read_text().count(AGES) == so_many)
    return asking


def test_workers_answer_add_up_are_replaced_and_drain(tmp_path):
    with pod(tmp_path, PENNANT_DRAIN_SECONDS="4") as started:
        started.wait_until("/v2/health/ready")
        assert [ask(started) for _ in range(10)] == [3.0] * 10
        until(published(started, 10))
        until(lambda: len(worker_pids(started)) == 2)

        victim = worker_pids(started)[0]
        os.kill(victim, signal.SIGKILL)
        until(lambda: len(worker_pids(started)) == 2 and victim not in worker_pids(started))
        assert [ask(started) for _ in range(10)] == [3.0] * 10
        until(lambda: counted(started) == 20)
        assert "is replaced" in started.log.read_text()

        workers = worker_pids(started)
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(timeout=60) == 0
        assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_probes_are_answered_while_each_worker_loads_its_own(tmp_path):
    own = OWN_SLOW
    with pod(tmp_path, own, load_seconds="2") as started:
        started.wait_until("/v2/health/live")
        until(lambda: len(worker_pids(started)) == 3)  # with the one that stands in for them
        assert started.request("/v2/health/ready")[0] == 503
        started.wait_until("/v2/health/ready")
        assert statuses(started, "/v2/health/ready") == {200}
        until(lambda: len(worker_pids(started)) == 2)
        assert statuses(started, "/invocations", {"instances": [0.0]}) == {200}


def test_a_worker_whose_predictions_never_end_leaves_both_ports_to_the_others_and_is_replaced(
    tmp_path,
):
    port = free_port()
    variables = {"PENNANT_GRPC_PORT": str(port), "PENNANT_REQUEST_TIMEOUT": "3"}
    with pod(tmp_path, SLOW, PENNANT_BATCH_MAX_ROWS="1", **variables) as started:
        started.wait_until("/v2/health/ready")
        until(lambda: len(worker_pids(started)) == 2)
        victim, other = worker_pids(started)
        with stopped(other):
            asking = never_ends(started, tmp_path)
        for each in asking:
            each.join()  # they have been told that it took too long
        until(lambda: "connections are left to the others" in started.log.read_text())
        assert all_answer(started, port)
        assert statuses(started, "/v2/health/live") == {200}
        assert statuses(started, "/v2/health/ready") == {200}

        until(replaced(started, victim))
        until(lambda: started.log.read_text().count('"ready"') == 3)
        assert statuses(started, "/invocations", {"instances": [0.0]}) == {200}
        assert "this worker ends" in started.log.read_text()
        assert other in worker_pids(started)


def test_when_all_workers_are_stuck_they_say_so_and_come_back_one_by_one(tmp_path):
    with pod(tmp_path, SLOW, PENNANT_BATCH_MAX_ROWS="1", PENNANT_REQUEST_TIMEOUT="1") as started:
        started.wait_until("/v2/health/ready")
        until(lambda: len(worker_pids(started)) == 2)
        before = worker_pids(started)
        asking = []
        for worker, other in (before, before[::-1]):
            with stopped(other):
                asking += never_ends(started, tmp_path, predictions=4)
                (tmp_path / "begun").write_text("")
            assert worker in worker_pids(started)
        until(lambda: started.request("/v2/health/ready")[0] == 503)
        until(lambda: not set(before) & set(worker_pids(started)))
        until(lambda: statuses(started, "/invocations", {"instances": [0.0]}) == {200})
        assert started.process.poll() is None
        for each in asking:
            each.join()


def test_a_worker_that_gives_no_sign_of_life_is_replaced(tmp_path):
    with pod(tmp_path, PENNANT_REQUEST_TIMEOUT="1") as started:
        started.wait_until("/v2/health/ready")
        until(lambda: len(worker_pids(started)) == 2)
        victim = worker_pids(started)[0]
        os.kill(victim, signal.SIGSTOP)
        until(replaced(started, victim))
        assert "has been silent" in started.log.read_text()
        assert statuses(started, "/invocations", {"instances": [[1.0, 2.0]]}) == {200}


def test_a_worker_whose_event_loop_is_stopped_says_where_and_is_replaced(tmp_path):
    blocking = BLOCKING
    with pod(tmp_path, blocking, PENNANT_REQUEST_TIMEOUT="1") as started:
        started.wait_until("/v2/health/ready")
        until(lambda: len(worker_pids(started)) == 2)
        before = set(worker_pids(started))
        with pytest.raises(ConnectionError):  # cut off when its worker is ended
            started.request("/block")
        until(lambda: len(worker_pids(started)) == 2 and before != set(worker_pids(started)))
        assert len(before & set(worker_pids(started))) == 1
        assert "block_for_ever" in started.log.read_text()


def test_counters_never_go_down_whoever_answers_and_whoever_dies(tmp_path):
    with pod(tmp_path) as started:
        started.wait_until("/v2/health/ready")
        until(lambda: len(worker_pids(started)) == 2)
        seen = [0.0]
        one, victim = worker_pids(started)
        for _ in range(5):
            with stopped(one):
                ask(started)
                seen.append(counted(started))
            with stopped(victim):
                seen.append(counted(started))
        os.kill(victim, signal.SIGKILL)
        until(replaced(started, victim))
        seen += [counted(started) for _ in range(10)]
        assert seen == sorted(seen)
        assert seen[-1] == 5


def test_the_grpc_port_opens_when_the_model_can_be_asked(tmp_path):
    port = free_port()
    variables = {"PENNANT_GRPC_PORT": str(port), "PENNANT_WORKERS": "1"}
    with pod(tmp_path, SLOW, load_seconds="300", **variables) as started:
        started.wait_until("/v2/health/live")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=60)


def test_a_request_that_kills_its_worker_every_time_ends_the_pod_with_a_reason(tmp_path):
    with pod(tmp_path) as started:
        started.wait_until("/v2/health/ready")
        deadline = time.monotonic() + WAIT_SECONDS
        while started.process.poll() is None:
            assert time.monotonic() < deadline
            with contextlib.suppress(OSError, AssertionError, EOFError):
                ask(started, DIES)
        assert (started.process.returncode, started.reason()) == (1, "StartFailed")


@pytest.mark.parametrize(
    ("adapter", "reason"),
    [
        ("nowhere:Class", "LoadFailed"),
        (ECHO, "SelfTestFailed"),
    ],
)
def test_a_version_that_cannot_be_served_ends_all_workers_with_its_reason(
    tmp_path, adapter, reason
):
    with pod(tmp_path, adapter, PENNANT_SELF_TEST="Required") as started:
        assert started.process.wait(timeout=READY_DEADLINE_SECONDS) == 1
        assert started.reason() == reason


def test_the_server_is_live_before_the_model_is_loaded_and_may_be_ended_then(tmp_path):
    with pod(tmp_path, SLOW, load_seconds="300") as started:
        started.wait_until("/v2/health/live")
        assert started.request("/v2/health/ready")[0] == 503
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(timeout=60) == 0
