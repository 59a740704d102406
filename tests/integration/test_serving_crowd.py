"""Very many connections: they are kept as far as there is room, and beyond it told to come back."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pennant_serving.http import crowd
from pennant_testing.serving.adapters import ARRAY
from pennant_testing.serving.app_builders import any_on_volume
from pennant_testing.serving.serving_process import Serving, serving
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

FILES = 400
"""File descriptors that a process gets here; half of them are for connections."""
PLACES = FILES // 2
LIVE = b"GET /v2/health/live HTTP/1.1\r\nHost: pod\r\n\r\n"


@contextlib.contextmanager
def pod(folder: Path, *under: str, **variables: str) -> Iterator[Serving]:
    path = any_on_volume(folder)
    adapter = ARRAY
    with serving(folder, path, under=under, PENNANT_ADAPTER=adapter, **variables) as started:
        started.wait_until("/v2/health/ready")
        yield started


@pytest.fixture
def connect() -> Iterator[Callable[[Serving, int], list[socket.socket]]]:
    """Opens connections, which are closed at the end of the test."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    opened: list[socket.socket] = []

    def more(pod: Serving, count: int) -> list[socket.socket]:
        new = [socket.create_connection(("127.0.0.1", pod.port), timeout=20) for _ in range(count)]
        opened.extend(new)
        return new

    yield more
    for each in opened:
        each.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def is_live(connection: socket.socket) -> bool:
    """Whether a probe is answered on this connection."""
    connection.sendall(LIVE)
    answer = b""
    while not answer.endswith(b'{"live":true}'):
        more = connection.recv(65536)
        if not more:
            return False
        answer += more
    return b"200 OK" in answer


def processor_seconds(pod: Serving) -> float:
    fields = Path(f"/proc/{pod.process.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def test_two_thousand_idle_connections_cost_little_memory_and_nobody_else(tmp_path, connect):
    with pod(tmp_path) as started:
        before = started.resident_mib()
        for connection in connect(started, 2000):
            assert is_live(connection)
        assert started.resident_mib() - before < 2000 * 16 / 1024
        assert started.request("/v2/health/ready")[0] == 200
        assert started.request("/invocations", {"instances": [[1, 2]]})[0] == 200


def test_beyond_the_limit_probes_are_answered_and_others_told_to_come_back(tmp_path, connect):
    limit = ("prlimit", f"--nofile={FILES}:{FILES}")
    with pod(tmp_path, *limit, PENNANT_MAX_CONNECTION_AGE="60") as started:
        until(lambda: not started.clients())  # those that asked whether it is ready
        kept = connect(started, PLACES)
        for connection in kept:
            assert is_live(connection)
        status, headers, body = started.request("/invocations", {"instances": [[1, 2]]})
        assert (status, headers["retry-after"], headers["connection"]) == (503, "1", "close")
        assert f"{PLACES} connections" in json.loads(body)["message"]
        for path in crowd.STILL_ANSWERED:
            status, headers, _ = started.request(path)
            assert (status, headers["connection"]) == (200, "close")
        assert is_live(kept[0])
        kept.pop().close()
        until(lambda: started.request("/invocations", {"instances": [[1, 2]]})[0] == 200)


def test_idle_connections_make_room_when_places_run_short(tmp_path, connect):
    limit = ("prlimit", f"--nofile={FILES}:{FILES}")
    with pod(tmp_path, *limit, PENNANT_MAX_CONNECTION_AGE="0.5") as started:
        connect(started, PLACES)
        until(lambda: started.request("/invocations", {"instances": [[1, 2]]})[0] == 200)


def test_without_file_descriptors_nothing_spins_and_it_passes(tmp_path, connect):
    limit = ("prlimit", f"--nofile={FILES}:{FILES}")
    with pod(tmp_path, *limit, PENNANT_MAX_CONNECTION_AGE="60") as started:
        first = connect(started, 1)[0]
        assert is_live(first)
        connect(started, 3 * FILES)
        used, since = processor_seconds(started), time.monotonic()
        until(lambda: answers(started))
        assert is_live(first)
        assert processor_seconds(started) - used < 0.5 + 0.5 * (time.monotonic() - since)


def answers(pod: Serving) -> bool:
    try:
        return pod.request("/v2/health/ready")[0] == 200
    except OSError:
        return False
