"""The lobby as a process: what waits while nobody is ready, and what becomes of it."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import queue
import signal
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from pennant_dev.ports import free_port
from pennant_testing.serving.lobby_process import LobbyProcess, lobby, pods
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

MIB = 2**20
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nKeep-Alive: timeout=5\r\n\r\nfine"


@dataclass
class Asked:
    """A request as a pod got it."""

    head: bytes
    body: bytes


def request_of(client: socket.socket) -> Asked:
    """A whole request, whose body has a length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    parts = [body]
    while (missing := length - sum(map(len, parts))) > 0:
        parts.append(client.recv(missing))
    return Asked(head, b"".join(parts))


class Pod:
    """Answers, and remembers what it was asked."""

    def __init__(self, answer: bytes = OK) -> None:
        self.asked: queue.Queue[Asked] = queue.Queue()
        self._answer = answer

    def __call__(self, client: socket.socket) -> None:
        self.asked.put(request_of(client))
        client.sendall(self._answer)


def ask(
    there: LobbyProcess, body: bytes = b"", method: str = "POST", **headers: str
) -> http.client.HTTPResponse:
    """The answer to one request, with its body in `.content`."""
    connection = http.client.HTTPConnection("127.0.0.1", there.port, timeout=120)
    with contextlib.closing(connection):
        connection.request(method, "/invocations?a=b", body, headers)
        answer = connection.getresponse()
        answer.content = answer.read()  # type: ignore[attr-defined]
        return answer


@pytest.fixture
def there(tmp_path) -> Iterator[LobbyProcess]:
    with lobby(tmp_path, free_port(), PENNANT_LOBBY_MAX_WAIT="600") as started:
        yield started


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(128) as threads:
        yield threads


def held(there: LobbyProcess, thread: ThreadPoolExecutor, body: bytes = b"") -> Future:
    """A request that waits."""
    before = there.waiting()
    asking = thread.submit(ask, there, body)
    until(lambda: there.waiting() == before + 1)
    return asking


def test_a_request_waits_while_nobody_is_ready_and_is_answered_by_the_first_who_is(there, thread):
    asking, pod = held(there, thread, b"abc"), Pod()
    with pods(there.to, pod):
        answer = asking.result()
    assert (answer.status, answer.content) == (200, b"fine")
    assert [*answer.headers.items()] == [("content-length", "4"), ("connection", "close")]
    asked = pod.asked.get()
    lines = asked.head.split(b"\r\n")
    assert (lines[0], lines[-1]) == (b"POST /invocations?a=b HTTP/1.1", b"connection: close")
    assert asked.body == b"abc"
    until(lambda: there.ended("answered") == 1)
    assert there.waiting() == 0
    assert there.count("pennant_lobby_held_seconds_count", protocol="http") == 1


def test_what_comes_while_pods_answer_is_answered_one_after_the_other(there):
    with pods(there.to, Pod()):
        assert [ask(there).status for _ in range(3)] == [200] * 3
    until(lambda: there.count("pennant_lobby_held_seconds_count", protocol="http") == 3)


@pytest.mark.parametrize("how", ["amid the request", "after the request", "amid the answer's head"])
def test_a_request_whose_pod_dies_goes_to_the_next_one_whole(there, how):
    body, first, second = b"x" * MIB, threading.Lock(), Pod()

    def die_first(client: socket.socket) -> None:
        if not first.acquire(blocking=False):
            second(client)
        elif how == "amid the request":
            client.recv(100)
        else:
            request_of(client)
            if how == "amid the answer's head":
                client.sendall(b"HTTP/1.1 200 OK\r\ncontent-le")

    with pods(there.to, die_first):
        answer = ask(there, body)
    assert (answer.status, answer.content) == (200, b"fine")
    assert second.asked.get().body == body


def test_a_request_that_three_pods_did_not_survive_is_not_sent_to_a_fourth(there):
    died = queue.Queue()
    with pods(there.to, lambda client: died.put(request_of(client))):
        answer = ask(there)
    assert (answer.status, died.qsize()) == (502, 3)
    assert "ended before it answered" in json.loads(answer.content)["message"]
    until(lambda: there.ended("lost") == 1)


@pytest.mark.parametrize(("length", "how"), [("content-length: 100\r\n", "close"), ("", "reset")])
def test_an_answer_that_breaks_off_is_not_begun_anew_and_does_not_look_whole(there, length, how):
    died, read = queue.Queue(), threading.Event()

    def die(client: socket.socket) -> None:
        died.put(request_of(client))
        client.sendall(f"HTTP/1.1 200 OK\r\n{length}\r\nhalf".encode())
        if how == "reset":
            read.wait(60)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    connection = http.client.HTTPConnection("127.0.0.1", there.port, timeout=120)
    with contextlib.closing(connection), pods(there.to, die):
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert answer.read(4) == b"half"
        read.set()
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            answer.read()
    assert died.qsize() == 1


def test_what_no_pod_takes_in_time_is_told_to_come_again(tmp_path):
    with lobby(tmp_path, free_port(), PENNANT_LOBBY_MAX_WAIT="0.3") as there:
        answer = ask(there, b"abc")
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert json.loads(answer.content) == {
            "error_code": "TEMPORARILY_UNAVAILABLE",
            "message": "no pod was ready within 0.3 seconds",
        }
        until(lambda: there.ended("expired") == 1)
        assert there.waiting() == 0


def test_memory_is_bounded_and_what_waits_outside_of_it_is_answered_too(there, thread):
    bodies = [bytes([number]) * MIB for number in range(100)]
    before = there.resident_mib()
    asking = [thread.submit(ask, there, body) for body in bodies]
    until(lambda: there.waiting() == 100)
    until(lambda: there.resident_mib() > before + 40)
    with ThreadPoolExecutor(1) as beside:  # who is small comes in, and out
        small = beside.submit(ask, there, b"small")
        until(lambda: there.waiting() == 101)
        assert there.resident_mib() < before + 64 + 16
        with pods(there.to, pod := Pod()):
            answers = [each.result() for each in (*asking, small)]
    assert {answer.status for answer in answers} == {200}
    got = {hashlib.sha256(pod.asked.get().body).digest() for _ in answers}
    assert got == {hashlib.sha256(body).digest() for body in (*bodies, b"small")}
    assert there.resident_mib() < before + 64 + 16


def test_what_is_larger_than_the_memory_passes_but_is_not_sent_again(tmp_path):
    with lobby(tmp_path, free_port(), PENNANT_LOBBY_MAX_BYTES=str(MIB)) as there:
        with pods(there.to, pod := Pod()):
            assert ask(there, b"x" * 5 * MIB).status == 200
        assert len(pod.asked.get().body) == 5 * MIB
        with pods(there.to, request_of):
            assert ask(there, b"x" * 5 * MIB).status == 502


def test_beyond_as_many_as_there_is_room_for_everybody_is_told_to_come_again(tmp_path, thread):
    with lobby(tmp_path, free_port(), PENNANT_LOBBY_MAX_BYTES=str(MIB)) as there:
        asking = [thread.submit(ask, there) for _ in range(16)]
        until(lambda: there.waiting() == 16)
        answer = ask(there)
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        with pods(there.to, Pod()):
            assert {each.result().status for each in asking} == {200}


def test_a_client_that_leaves_while_it_waits_is_forgotten(there):
    with socket.create_connection(("127.0.0.1", there.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: pod\r\n\r\n")
        until(lambda: there.waiting() == 1)
    until(lambda: there.ended("left") == 1)
    with pods(there.to, pod := Pod()):
        assert ask(there, b"mine").status == 200
    assert (pod.asked.get().body, pod.asked.empty()) == (b"mine", True)


def test_at_its_end_what_waits_is_still_answered(tmp_path, thread):
    with lobby(tmp_path, free_port(), PENNANT_DRAIN_SECONDS="600") as there:
        asking = held(there, thread)
        idle = socket.create_connection(("127.0.0.1", there.port))
        there.process.send_signal(signal.SIGTERM)
        until(lambda: there.probe("/readyz")[0] == 503)
        assert there.probe("/livez")[0] == 200
        late = held(there, thread)  # who has not heard of it yet
        with pods(there.to, Pod()):
            assert (asking.result().status, late.result().status) == (200, 200)
            assert there.process.wait(timeout=60) == 0
        with idle:
            assert idle.recv(1) == b""


def test_a_variable_that_does_not_do_ends_it_with_its_name(tmp_path):
    with pytest.raises(RuntimeError, match="PENNANT_LOBBY_TO='127"):
        lobby(tmp_path, 0).__enter__()
    message = json.loads((tmp_path / "lobby-termination-log").read_text())
    assert message["reason"] == "StartFailed"
