"""What passes through the lobby is what was sent, byte for byte, but for the connection."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from pennant_serving.address import Address
from pennant_serving.http.connections.limits import HEAD_LIMIT_BYTES
from pennant_serving.lobby import http as lobby_http
from pennant_serving.lobby.buffer import Pages
from pennant_serving.lobby.counts import LobbyCounts
from pennant_serving.lobby.http import HttpRelay
from pennant_serving.lobby.pods import Pods
from pennant_testing.serving.adapters import WAITING
from pennant_testing.serving.app_builders import any_on_volume
from pennant_testing.serving.http_wire import Wire
from pennant_testing.serving.lobby_process import LobbyProcess, lobby
from pennant_testing.serving.serving_process import Serving, serving
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

RESPONSE_BYTES = 5_000_000


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("pod")
    with serving(folder, any_on_volume(folder), PENNANT_ADAPTER=WAITING) as started:
        started.wait_until("/v2/health/ready")
        yield started


@pytest.fixture(scope="module")
def there(pod: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LobbyProcess]:
    with lobby(tmp_path_factory.mktemp("lobby"), pod.port) as started:
        yield started


@pytest.fixture
def wire(there: LobbyProcess) -> Iterator[Wire]:
    with Wire(there) as opened:
        yield opened


def head(first: str, *lines: str) -> bytes:
    return "\r\n".join([first, "Host: pod", *lines, "", ""]).encode()


def test_chunks_pass(wire):
    wire.send(head("POST /read HTTP/1.1", "Transfer-Encoding: chunked"))
    for part in (b"x" * 10, b"y" * 100_000):
        wire.send(b"%x\r\n%s\r\n" % (len(part), part))
    wire.send(b"0\r\n\r\n")
    status, answer, body = wire.response()
    assert (status, json.loads(body)) == (200, {"bytes": 100_010})
    assert answer.count(b"connection: close") == 1
    assert wire.ended()


def test_who_waits_for_a_go_ahead_gets_the_pods(wire):
    wire.send(head("POST /read HTTP/1.1", "Content-Length: 3", "Expect: 100-continue"))
    assert wire.response()[0] == 100
    wire.send(b"abc")
    status, _, body = wire.response()
    assert (status, json.loads(body)) == (200, {"bytes": 3})


def test_head_has_no_body(wire):
    wire.send(head(f"HEAD /large/{RESPONSE_BYTES} HTTP/1.1"))
    answers = wire.socket.recv(65536)
    assert b"content-length: %d" % RESPONSE_BYTES in answers
    assert answers.endswith(b"\r\n\r\n")
    assert wire.ended()


def test_large_answers_pass_whole(wire):
    wire.send(head(f"GET /large/{RESPONSE_BYTES} HTTP/1.1"))
    status, _, body = wire.response()
    assert (status, len(body)) == (200, RESPONSE_BYTES)


@pytest.mark.parametrize(
    "more",
    ["Connection: keep-alive", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c", "Te: x"],
)
def test_a_connection_has_one_request(wire, more):
    wire.send(head("GET /ping HTTP/1.1", more) * 2)
    assert len(wire.responses()) == 1


@pytest.mark.parametrize("before", [b"", b"\r\n\r\n"])
def test_an_old_client_is_answered_too(wire, before):
    wire.send(before + b"GET /ping HTTP/1.0\r\n\r\n")
    assert wire.response()[0] == 200


def test_what_the_pod_does_not_understand_the_pod_refuses(wire):
    wire.send(b"NONSENSE\r\n\r\n")
    assert wire.response()[0] == 400


def test_who_is_refused_before_the_end_of_a_body_can_read_why(wire):
    wire.send(head("POST /invocations HTTP/1.1", f"Content-Length: {2**30}"))
    wire.send(b"x" * 1_000_000)
    assert wire.response()[0] == 413


def test_a_head_without_end_is_refused(wire, there):
    before = there.ended("refused")
    wire.send(b"GET / HTTP/1.1\r\nX: " + b"x" * (HEAD_LIMIT_BYTES + 1))
    status, _, body = wire.response()
    assert (status, json.loads(body)) == (431, {"error": "more than 65536 bytes of headers"})
    wire.socket.close()
    until(lambda: there.ended("refused") == before + 1)


def relayed(*sent: bytes) -> bytes:
    """What comes back of what a client sends in so many parts, with a pause before the next."""

    async def scenario() -> bytes:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.create_connection(listener.getsockname())
            pods, counts = Pods(Address("127.0.0.1", 1)), LobbyCounts()
            relay = HttpRelay(listener.accept()[0], pods, Pages(2**20), counts, 0.1)
        running = asyncio.create_task(relay.run())
        reader, writer = await asyncio.open_connection(sock=client)
        for part in sent:
            writer.write(part)
            await asyncio.sleep(0.01)
        answer = await reader.read()
        writer.close()
        await running
        return answer

    return run(scenario())


def run(scenario: Coroutine[Any, Any, bytes]) -> bytes:
    return asyncio.run(asyncio.wait_for(scenario, 60))


def test_who_dawdles_over_a_head_is_answered_and_who_sends_none_is_not(monkeypatch):
    monkeypatch.setattr(lobby_http, "HEAD_SECONDS", 0.3)
    assert relayed(*[b"x"] * 10).startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert relayed() == b""


def test_who_dawdles_over_a_body_waits_no_longer_than_others():
    answer = relayed(head("POST / HTTP/1.1", "Content-Length: 100"), *[b"x"] * 3)
    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
