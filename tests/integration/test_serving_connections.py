"""Connections end politely: after their age, and when the process is asked to go.

Each test has a process of its own, and they wait side by side.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pennant_testing.running.side_by_side import Begun, beside
from pennant_testing.serving.adapters import SLOW
from pennant_testing.serving.adapters.slow_adapter import computes
from pennant_testing.serving.app_builders import any_on_volume
from pennant_testing.serving.http_wire import Wire, request
from pennant_testing.serving.pods_side_by_side import StartPod, begin_with_pods
from pennant_testing.serving.serving_process import JSON, Serving, serving
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

AGE = 1.0
DRAIN = 6


@pytest.fixture(scope="module")
def begun(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Begun]:
    with begin_with_pods(request, tmp_path_factory, pod) as tests:
        yield tests


@contextlib.contextmanager
def pod(folder: Path, **variables: str) -> Iterator[Serving]:
    path = any_on_volume(folder)
    env = {"PENNANT_MAX_CONNECTION_AGE": str(AGE), "PENNANT_DRAIN_SECONDS": str(DRAIN)}
    with serving(folder, path, PENNANT_ADAPTER=SLOW, **env | variables) as started:
        started.wait_until("/v2/health/ready")
        yield started


def ask(connection: http.client.HTTPConnection, seconds: float = 0.0) -> bool:
    """One prediction on this connection; whether the answer ends the connection."""
    connection.request("POST", "/invocations", json.dumps({"instances": [seconds]}), JSON)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())) == (200, {"predictions": [seconds]})
    return answer.will_close


@beside
def test_a_connection_is_kept_alive_until_its_age_and_then_ended_by_a_response(pod: StartPod):
    with pod() as started:
        connection = started.connect()
        connected = time.monotonic()
        assert not ask(connection)
        accepted, asked = time.monotonic(), 0.0
        while asked < accepted + 2 * AGE:  # asked after that, at the latest, it is over
            asked = time.monotonic()
            if ask(connection):
                break
        else:
            pytest.fail("it is kept alive for ever")
        assert time.monotonic() - connected >= 0.8 * AGE


@beside
def test_an_idle_connection_is_not_closed_by_its_age_but_by_its_next_response(pod: StartPod):
    with pod() as started:
        connection = started.connect()
        assert not ask(connection)
        deadline = time.monotonic() + 3 * AGE
        while time.monotonic() < deadline:
            time.sleep(0.05)
        assert ask(connection)


@beside
def test_a_response_that_is_being_computed_while_the_age_passes_is_the_last_and_not_cut(
    pod: StartPod,
):
    with pod() as started:
        assert ask(started.connect(), seconds=2 * AGE)


@beside
def test_sigterm_loses_no_request(pod: StartPod):
    with pod(PENNANT_DRAIN_SECONDS="20") as started:  # 5 s in which it takes connections still
        stop = threading.Event()
        clients = [Client(started, stop, pooled=pooled) for pooled in (True, True, False, False)]
        for client in clients:
            client.start()
        until(lambda: all(client.answers > 20 for client in clients))
        started.process.send_signal(signal.SIGTERM)
        until(lambda: started.request("/v2/health/ready")[0] == 503)
        answered = [client.answers for client in clients]
        until(lambda: all(c.answers > n for c, n in zip(clients, answered, strict=True)))
        stop.set()
        for client in clients:
            client.join()
        assert [client.failure for client in clients] == [None] * 4
        assert started.process.wait(timeout=60) == 0


@beside
def test_a_request_in_flight_at_sigterm_is_finished_and_ends_its_connection(pod: StartPod):
    with pod() as started:
        with_answer: list[bool] = []
        connection = started.connect()
        asking = threading.Thread(target=lambda: with_answer.append(ask(connection, seconds=2.5)))
        asking.start()
        until(lambda: computes(started.log.parent / "bundle", 2.5))
        started.process.send_signal(signal.SIGTERM)
        asking.join()
        assert with_answer == [True]
        assert started.process.wait(timeout=30) == 0


@beside
def test_requests_behind_one_in_flight_at_sigterm_are_answered_and_the_last_ends_the_connection(
    pod: StartPod,
):
    with pod() as started, Wire(started) as wire:
        asked = [request({"instances": [n]}, path="/invocations") for n in (2.5, 0.0, 0.5)]
        wire.send(b"".join(asked))
        until(lambda: computes(started.log.parent / "bundle", 2.5))
        started.process.send_signal(signal.SIGTERM)
        found = wire.responses()
        assert [json.loads(body)["predictions"] for _, _, body in found] == [[2.5], [0.0], [0.5]]
        assert [b"connection: close" in head for _, head, _ in found] == [False, False, True]
        assert started.process.wait(timeout=30) == 0


@beside
def test_a_prediction_that_never_ends_does_not_keep_the_process(pod: StartPod):
    with pod() as started:
        connection = started.connect()
        connection.request("POST", "/invocations", json.dumps({"instances": [600]}), JSON)
        until(lambda: computes(started.log.parent / "bundle", 600))
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(timeout=10 * DRAIN) == 0


@beside
def test_predictions_that_never_end_are_time_outs_and_take_readiness_but_not_health(pod: StartPod):
    with pod(PENNANT_REQUEST_TIMEOUT="0.5") as stuck:
        for _ in range(4):  # one for each thread
            assert stuck.request("/invocations", {"instances": [600]})[0] == 504
        until(lambda: stuck.request("/v2/health/ready")[0] == 503)
        assert stuck.request("/v2")[0] == 200
        until(lambda: stuck.request("/v2/health/live")[0] == 503)


class Client(threading.Thread):
    """Asks steadily, on one connection for as long as the server keeps it, or always a new one."""

    def __init__(self, pod: Serving, stop: threading.Event, *, pooled: bool) -> None:
        super().__init__()
        self._pod, self._stop_asking, self._pooled = pod, stop, pooled
        self.answers, self.failure = 0, None

    def run(self) -> None:
        connection = self._pod.connect()
        try:
            while not self._stop_asking.is_set():
                if ask(connection) or not self._pooled:
                    connection.close()
                    connection = self._pod.connect()
                self.answers += 1
        except (OSError, AssertionError, http.client.HTTPException) as error:
            self.failure = error
        finally:
            connection.close()
