"""A client that leaves before its answer: what waits for it is not begun, what is being done is not
waited for, it counts as 499, and nobody is told of an error."""

from __future__ import annotations

import io
import json
import re
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from pennant_testing.serving.adapters import WAITING
from pennant_testing.serving.adapters.waiting_adapter import UNKNOWN_SECONDS, begun
from pennant_testing.serving.app_builders import any_on_volume
from pennant_testing.serving.http_wire import Wire, request
from pennant_testing.serving.serving_process import Serving, serving
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

THREADS = 4
LONG = 60.0
"""Seconds of what is only over when it is dropped."""
RST = struct.pack("ii", 1, 0)


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("pod")
    path = any_on_volume(folder)
    adapter = WAITING
    with serving(folder, path, PENNANT_ADAPTER=adapter) as started:
        started.wait_until("/v2/health/ready")
        yield started


def infer(seconds: float, data: Any = None) -> bytes:
    data = data or [seconds, 2.0]
    return request({"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": data}]})


def parquet(seconds: float) -> bytes:
    written = io.BytesIO()
    pd.DataFrame({"a": [seconds], "b": [2.0]}).to_parquet(written)
    return written.getvalue()


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: pod\r\n\r\n".encode()


WAYS = {
    "V2, fast lane": lambda seconds: infer(seconds),
    "V2, general way": lambda seconds: infer(seconds, [[seconds, 2.0]]),
    "/invocations, fast lane": lambda seconds: request(
        {"instances": [[seconds, 2.0]]}, path="/invocations"
    ),
    "/invocations, general way": lambda seconds: request(
        {"instances": [[seconds, 2.0]]}, path="/invocations", more="Accept: text/json\r\n"
    ),
    "CSV": lambda seconds: request(
        f"a,b\n{seconds},2.0\n".encode(), path="/invocations", more="Content-Type: text/csv\r\n"
    ),
    "Parquet": lambda seconds: request(
        parquet(seconds),
        path="/invocations",
        more="Content-Type: application/vnd.apache.parquet\r\n",
    ),
    "own route": lambda seconds: get(f"/wait/{seconds}"),
    "behind another": lambda seconds: infer(seconds / 2) + infer(seconds),
}
HALVES = {
    "V2": request(b"x" * 1000),
    "V2, large": request(b"x" * 500_000),
    "/invocations": request(b"x" * 500_000, path="/invocations"),
    "CSV": request(b"x" * 9000, path="/invocations", more="Content-Type: text/csv\r\n"),
    "own route": request(b"x" * 500_000, path="/read"),
}


def left(pod: Serving) -> int:
    """How many requests count as 499."""
    text = pod.request("/metrics")[2].decode()
    counts = re.findall(r'duration_seconds_count{code="499".*} (\S+)', text)
    return sum(map(int, map(float, counts)))


def leave(wire: Wire, *, how: str) -> None:
    if how == "reset":
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
    wire.socket.close()


@pytest.mark.parametrize("how", ["close", "reset"])
def test_what_waits_for_a_client_that_left_is_not_begun(pod, how):
    before, marks = left(pod), {}
    with_threads = [Wire(pod) for _ in range(THREADS)]
    for wire in with_threads:  # all threads are taken
        wire.send(get(f"/hold/{how}"))
    until(lambda: begun(pod.log.parent)[-THREADS:] == [UNKNOWN_SECONDS] * THREADS)
    for number, way in enumerate(WAYS):
        marks[way] = 0.001 * (number + 1) + (0.0001 if how == "reset" else 0.0)
        wire = Wire(pod)
        wire.send(WAYS[way](marks[way]))
        leave(wire, how=how)
    wanted = before + len(WAYS) + 1  # two in the pipeline
    until(lambda: left(pod) == wanted, seen=lambda: (left(pod), wanted))
    (pod.log.parent / how).touch()
    for wire in with_threads:
        assert wire.response()[0] == 200
        wire.socket.close()
    with Wire(pod) as wire:  # those before it have had their turn
        wire.send(get("/wait/0.0"))
        assert wire.response()[0] == 200
    assert set(begun(pod.log.parent)).isdisjoint({*marks.values(), marks["behind another"] / 2})
    assert "Traceback" not in pod.log.read_text()


@pytest.mark.parametrize("how", ["close", "reset"])
def test_what_is_being_done_for_a_client_that_left_is_not_waited_for(pod, how):
    before = left(pod)
    for path in ("/sleep/", "/wait/"):
        with Wire(pod) as wire:
            seconds = 1.0 if path == "/wait/" else LONG  # a thread cannot be stopped
            already = begun(pod.log.parent).count(seconds)
            wire.send(get(f"{path}{seconds}"))
            until(lambda n=already, s=seconds: begun(pod.log.parent).count(s) > n)
            leave(wire, how=how)
    until(lambda: left(pod) == before + 2)
    assert "Traceback" not in pod.log.read_text()


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("share", [0.0, 0.5], ids=["before the body", "amid the body"])
def test_a_client_that_leaves_before_its_request_has_arrived_is_no_error(pod, share, how):
    before = left(pod)
    for whole in HALVES.values():
        head, _, body = whole.partition(b"\r\n\r\n")
        with Wire(pod) as wire:
            wire.send(head + b"\r\n\r\n" + body[: int(len(body) * share)])
            client = wire.socket.getsockname()[1]
            until(lambda: client in pod.clients())  # noqa: B023 - called here
            leave(wire, how=how)
    # A small request of numbers is nobody's until it is complete.
    until(lambda: left(pod) >= before + len(HALVES) - 2, seen=lambda: left(pod) - before)
    log = pod.log.read_text()
    assert "Traceback" not in log
    assert 'code="500"' not in pod.request("/metrics")[2].decode()


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_client_that_leaves_amid_its_answer_is_no_error(pod, how):
    count = 'code="200",model="iris",protocol="own",route="/stream/{bytes:int}"'
    with Wire(pod) as wire:
        wire.send(get(f"/stream/{2**30}"))
        assert wire.socket.recv(65536)
        leave(wire, how=how)
    until(lambda: count in pod.request("/metrics")[2].decode())
    assert "Traceback" not in pod.log.read_text()


def test_a_client_that_ends_its_side_counts_as_gone(pod):
    before = left(pod)
    with Wire(pod) as wire:
        wire.send(get(f"/sleep/{LONG}"))
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.ended()
    until(lambda: left(pod) == before + 1)


def test_the_others_of_a_batch_get_their_answers_when_one_leaves(pod):
    with Wire(pod) as one, Wire(pod) as other:
        for wire in (one, other):
            wire.send(infer(0.5))
        until(lambda: 0.5 in begun(pod.log.parent))
        leave(one, how="close")
        status, _, body = other.response()
        assert (status, json.loads(body)["outputs"][0]["data"]) == (200, [2.5])
