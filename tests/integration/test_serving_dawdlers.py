"""Clients that do not read their answers, or hardly: they lose their places, on every path."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pennant_testing.running.side_by_side import Begun, beside
from pennant_testing.serving.adapters import WAITING
from pennant_testing.serving.app_builders import any_on_volume
from pennant_testing.serving.http_wire import infer, request
from pennant_testing.serving.pods_side_by_side import StartPod, begin_with_pods
from pennant_testing.serving.serving_process import Serving, serving
from pennant_testing.waiting import WAIT_SECONDS, until

pytestmark = pytest.mark.integration

TIMEOUT = 2.0
PLACES = 64
LARGE = 24 * 2**20
FEW = ("prlimit", f"--nofile={2 * PLACES}:{2 * PLACES}")


@pytest.fixture(scope="module")
def begun(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Begun]:
    with begin_with_pods(request, tmp_path_factory, pod) as tests:
        yield tests


@contextlib.contextmanager
def pod(folder: Path, *under: str, **variables: str) -> Iterator[Serving]:
    path = any_on_volume(folder)
    env = {"PENNANT_ADAPTER": WAITING}
    env |= {"PENNANT_REQUEST_TIMEOUT": str(TIMEOUT), "PENNANT_MAX_CONNECTION_AGE": "60"}
    with serving(folder, path, under=under, **env | variables) as one:
        one.wait_until("/v2/health/ready")
        yield one


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: pod\r\n\r\n".encode()


LANE = request(infer(0.0))
ASKED = {
    "all at once": get(f"/large/{LARGE}"),
    "part by part": get(f"/stream/{LARGE}"),
    "a little more than the kernel takes": get(f"/large/{4 * 2**20}"),
    "many small ones": LANE * 1000,
    "and the next request by half": get(f"/large/{LARGE}") + LANE[:-9],
}


def deaf(pod: Serving, sent: bytes) -> socket.socket:
    """A client that asks, and reads nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", pod.port))
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while sent:  # what there is no room for is not sent
            sent = sent[client.send(sent) :]
    return client


@beside
@pytest.mark.parametrize("sent", ASKED.values(), ids=ASKED)
def test_clients_that_never_read_give_their_places_back(pod: StartPod, sent: bytes):
    # Longer than this test waits: no connection is closed for its age.
    aged = {"PENNANT_MAX_CONNECTION_AGE": "600"}
    with pod(*FEW, **aged) as started, contextlib.ExitStack() as stack:
        until(lambda: not started.clients())
        for _ in range(PLACES):
            stack.enter_context(deaf(started, sent))
        until(lambda: started.request("/invocations", {"instances": [[0, 2]]})[0] == 503)
        until(lambda: started.request("/invocations", {"instances": [[0, 2]]})[0] == 200)
        assert started.request("/v2/health/live")[0] == 200


@beside
@pytest.mark.parametrize("sent", [b"", LANE[:-9], get("/metrics") * 900], ids=["", "half", "all"])
def test_beyond_the_limit_nobody_stays(pod: StartPod, sent: bytes):
    with pod(*FEW, PENNANT_REQUEST_TIMEOUT="30") as started, contextlib.ExitStack() as stack:
        until(lambda: not started.clients())
        for _ in range(PLACES):
            stack.enter_context(deaf(started, get("/v2/health/live")))
        until(lambda: len(started.clients()) == PLACES)
        beyond = [stack.enter_context(deaf(started, sent)).getsockname()[1] for _ in range(8)]
        # Those who have a place keep it for as long as an answer may be left: they are still there.
        until(lambda: len(kept := started.clients()) == PLACES and kept.isdisjoint(beyond))


@beside
@pytest.mark.parametrize("sent", ASKED.values(), ids=ASKED)
def test_a_client_that_never_reads_does_not_hold_up_the_end(pod: StartPod, sent: bytes):
    env = {"PENNANT_REQUEST_TIMEOUT": "600", "PENNANT_DRAIN_SECONDS": "600"}
    with pod(**env) as started, deaf(started, sent) as client:
        until(lambda: client.getsockname()[1] in started.clients())
        until(lambda: started.request("/v2/health/ready")[0] == 200)
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(timeout=WAIT_SECONDS) == 0


@beside
def test_half_a_request_does_not_hold_up_the_end(pod: StartPod):
    env = {"PENNANT_REQUEST_TIMEOUT": "600", "PENNANT_DRAIN_SECONDS": "600"}
    with pod(**env) as started, deaf(started, LANE[:-9]) as client:
        until(lambda: client.getsockname()[1] in started.clients())
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(timeout=WAIT_SECONDS) == 0


@beside
def test_a_byte_now_and_then_is_not_enough(pod: StartPod):
    with pod() as started, deaf(started, get(f"/large/{LARGE}")) as client:
        port, began = client.getsockname()[1], time.monotonic()
        until(lambda: port in started.clients())
        while port in started.clients():
            with contextlib.suppress(BlockingIOError):
                client.recv(1)
            time.sleep(0.1)
            assert time.monotonic() - began < WAIT_SECONDS


@beside
@pytest.mark.parametrize("way", ["large", "stream"])
def test_a_client_that_reads_slowly_gets_all_of_its_answer(pod: StartPod, way: str):
    size = 8 * 2**20
    with pod() as started, socket.create_connection(("127.0.0.1", started.port)) as client:
        client.settimeout(30)
        client.sendall(get(f"/{way}/{size}"))
        received, began = 0, time.monotonic()
        while received < size:
            more = len(client.recv(65536))
            assert more, f"cut off after {received} bytes"
            received += more
            behind = began + received / (2**20) - time.monotonic()
            time.sleep(max(0.0, behind))  # a MiB a second
        assert time.monotonic() - began > 3 * TIMEOUT


@beside
def test_answers_to_a_client_that_does_not_read_do_not_pile_up(pod: StartPod):
    rows = 2000
    body = {"instances": [[0.0, 2.0]] * rows}
    with pod(PENNANT_REQUEST_TIMEOUT="30") as started:
        before = started.resident_mib()
        with deaf(started, b"") as client:
            client.settimeout(2)
            with contextlib.suppress(TimeoutError):
                client.sendall(request(body, path="/invocations") * 2000)
                pytest.fail("all of it was taken")
            assert started.resident_mib() - before < 48
