"""Requests behind each other on one connection: each is answered once, in order, whatever follows,
and whatever protocol else a client would like to speak."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pennant_testing.serving.adapters import WAITING
from pennant_testing.serving.app_builders import any_on_volume
from pennant_testing.serving.http_wire import Wire, request
from pennant_testing.serving.serving_process import Serving, serving
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

TIMEOUT = 2.0
LIVE = b"GET /v2/health/live HTTP/1.1\r\nHost: pod\r\n\r\n"
OLD = b"GET /v2/health/live HTTP/1.0\r\n\r\n"
RUBBISH = b"\x16\x03\x01\x02\x00\x01\r\n\r\n"
UPGRADES = {
    # What Java's HttpClient sends with its first request.
    "h2c": "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n",
    "websocket": "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n"
    "Sec-WebSocket-Version: 13\r\n",
    "TLS/1.0": "Upgrade: TLS/1.0\r\nConnection: keep-alive, Upgrade\r\n",
    "two": "Upgrade: h2c\r\nConnection: upgrade\r\nUpgrade: websocket\r\n",
}


def tensor(seconds: float, data: Any = None) -> dict[str, Any]:
    inputs = {"name": "x", "shape": [1, 2], "datatype": "FP64", "data": data or [seconds, 2.0]}
    return {"inputs": [inputs]}


def lane(seconds: float = 0.0, more: str = "") -> bytes:
    """A request of the fast lane, whose answer takes so long."""
    return request(tensor(seconds), more=more)


def general(seconds: float = 0.0, more: str = "") -> bytes:
    """The same on the general way."""
    return request(tensor(seconds, [[seconds, 2.0]]), more=more)


def chunked(body: bytes, more: str = "") -> bytes:
    head = (
        f"POST /v2/models/iris/infer HTTP/1.1\r\nHost: pod\r\nTransfer-Encoding: chunked\r\n{more}"
    )
    return b"%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (head.encode(), len(body), body)


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with started(tmp_path_factory, PENNANT_MAX_CONNECTION_AGE="60") as one:
        yield one


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with started(tmp_path_factory, PENNANT_MAX_CONNECTION_AGE="0.1") as one:
        yield one


@contextlib.contextmanager
def started(factory: pytest.TempPathFactory, **variables: str) -> Iterator[Serving]:
    folder = factory.mktemp("pod")
    path = any_on_volume(folder)
    env = {"PENNANT_ADAPTER": WAITING}
    env["PENNANT_REQUEST_TIMEOUT"] = str(TIMEOUT)
    with serving(folder, path, **env | variables) as one:
        one.wait_until("/v2/health/ready")
        yield one


def statuses(pod: Serving, *parts: bytes, pause: float = 0.0) -> list[int]:
    """Of all answers until the server closes."""
    with Wire(pod) as wire:
        for part in parts:
            wire.send(part)
            time.sleep(pause)
        return [status for status, _, _ in wire.responses()]


CLOSE = LIVE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
BAD_CHUNK = chunked(b"{}").replace(b"\r\n2\r\n", b"\r\nxyz\r\n")
BOTH = lane(more="Transfer-Encoding: chunked\r\n")
NO_HOST = LIVE.replace(b"Host: pod\r\n", b"")
TWO_HOSTS = LIVE.replace(b"Host: pod\r\n", b"Host: pod\r\nHost: other\r\n")
FULL = f"POST /v2/models/iris/infer HTTP/1.1\r\nHost: pod\r\nContent-Length: {2**27}\r\n"
EXPECTS = (FULL + "Expect: 100-continue\r\n\r\n").encode()
CASES = {
    "rubbish alone": (RUBBISH, [400]),
    "rubbish behind the fast lane": (lane() + RUBBISH, [200, 400]),
    "rubbish behind the general way": (general() + RUBBISH, [200, 400]),
    "rubbish behind an answer that takes long": (lane(0.3) + RUBBISH, [200, 400]),
    "rubbish behind several": (lane(0.2) + LIVE + general() + lane() + RUBBISH, [200] * 4 + [400]),
    "rubbish in place of a chunk": (lane(0.1) + BAD_CHUNK, [200, 400]),
    "rubbish in place of the first chunk": (BAD_CHUNK, [400]),
    "nothing is read behind rubbish": (LIVE + RUBBISH + LIVE, [200, 400]),
    "two framings": (lane(0.1) + BOTH + LIVE, [200, 400]),
    "two lengths": (LIVE + lane(more="Content-Length: 1\r\n"), [200, 400]),
    "no host": (lane(0.1) + NO_HOST + LIVE, [200, 400]),
    "no host in the fast lane": (lane().replace(b"Host: pod\r\n", b""), [400]),
    "two hosts": (LIVE + TWO_HOSTS + LIVE, [200, 400]),
    "two equal hosts": (TWO_HOSTS.replace(b"other", b"pod"), [400]),
    "no host in HTTP/1.0": (OLD, [200]),
    "a host that is none": (LIVE.replace(b"pod", b"a b"), [400]),
    "two kinds of host": (LIVE.replace(b"GET /", b"GET http://other/"), [400]),
    "a target for proxies": (CLOSE.replace(b"GET /", b"GET http://pod/"), [200]),
    "behind the wish to close": (lane(0.1, "Connection: close\r\n") + LIVE, [200]),
    "behind HTTP/1.0": (LIVE + OLD + LIVE, [200, 200]),
    "a tunnel": (b"CONNECT pod:80 HTTP/1.1\r\nHost: pod\r\n\r\n", [400]),
    "refused before it was sent": (EXPECTS, [413]),
    "refused in its turn": (lane(0.2) + EXPECTS, [200, 413]),
    "next to what was refused": (EXPECTS + LIVE, [413]),
}


@pytest.mark.parametrize(("sent", "expected"), CASES.values(), ids=CASES)
def test_what_can_be_answered_is_and_then_what_cannot_is_refused(pod, sent, expected):
    assert statuses(pod, sent) == expected


@pytest.mark.parametrize("first", [lane, general], ids=["fast lane", "general way"])
def test_rubbish_that_comes_later_does_not_take_the_place_of_an_answer(pod, first):
    assert statuses(pod, first(0.4), RUBBISH, pause=0.1) == [200, 400]


@pytest.mark.parametrize("body", [lane, general], ids=["fast lane", "general way"])
def test_half_a_request_behind_an_answer_that_is_due_is_late_in_its_turn(pod, body):
    found = statuses(pod, lane(0.7) + body()[:-9])
    assert found == [200, 408]


def test_a_head_that_does_not_end_is_refused_in_its_turn(pod):
    head = b"GET /v2 HTTP/1.1\r\nHost: pod\r\n"
    many = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 1000) for number in range(300))
    with Wire(pod) as wire:
        wire.send(lane(0.6) + head)
        with contextlib.suppress(ConnectionError):
            wire.send(many)
        assert [status for status, _, _ in wire.responses()] == [200, 431]


def test_a_body_that_does_not_come_is_one_408_and_no_traceback(pod):
    assert statuses(pod, FULL.replace(str(2**27), "100").encode() + b"\r\n{") == [408]
    large = request(b"x" * 200_000)[:100_000]  # on its way to the application already
    assert statuses(pod, large) == [408]
    assert statuses(pod, b"POST /nowhere HTTP/1.1\r\nHost: pod\r\nContent-Length: 9\r\n\r\n1") == [
        404
    ]
    until(lambda: 'code="408"' in pod.request("/metrics")[2].decode())
    assert "Traceback" not in pod.log.read_text()


def test_many_requests_at_once_are_answered_in_order(pod):
    with Wire(pod) as wire:
        wire.send(b"".join(request(tensor(0, [0, n])) if n % 3 else LIVE for n in range(600)))
        for number in range(600):
            status, _, body = wire.response()
            response = json.loads(body)
            wanted = {"live": True} if number % 3 == 0 else [float(number)]
            data = response.get("outputs", [{"data": response}])[0]["data"]
            assert (status, data) == (200, wanted)


def test_more_requests_at_once_than_are_held_are_answered_in_part_and_the_connection_ends(pod):
    with Wire(pod) as wire:
        with contextlib.suppress(ConnectionError):
            wire.send(lane(0.5) + LIVE * 20_000)
        found = wire.responses()
    assert 1000 < len(found) < 20_000
    assert {status for status, _, _ in found} == {200}
    assert [b"connection: close" in head for _, head, _ in found[-2:]] == [False, True]


@pytest.mark.parametrize("last", [lane, general], ids=["fast lane", "general way"])
def test_requests_that_come_together_after_the_age_are_all_answered_and_the_last_one_closes(
    aged, last
):
    with Wire(aged) as wire:
        time.sleep(0.2)  # the age
        wire.send(lane(0.1) + general() + last())
        found = wire.responses()
    assert [status for status, _, _ in found] == [200] * 3
    assert [b"connection: close" in head for _, head, _ in found] == [False, False, True]


def test_a_request_that_has_begun_to_arrive_when_the_last_answer_is_due_is_answered(aged):
    with Wire(aged) as wire:
        time.sleep(0.2)
        second = general()
        wire.send(lane() + second[:-5])
        assert wire.response()[0] == 200
        wire.send(second[-5:] + LIVE)
        found = wire.responses()
    assert [(status, b"connection: close" in head) for status, head, _ in found] == [(200, True)]


def test_a_last_answer_to_a_body_that_is_still_being_sent_is_not_lost(aged):
    for _ in range(5):
        with Wire(aged) as wire:
            time.sleep(0.2)  # the age
            wire.send((FULL + "\r\n").encode())
            for _ in range(64):
                wire.send(bytes(65536))
                time.sleep(0.005)
            status, head, _ = wire.response()
            assert (status, b"connection: close" in head) == (413, True)


def test_a_client_that_waits_for_a_go_ahead_keeps_its_connection_when_it_gets_one(pod):
    data = json.dumps(tensor(0)).encode()
    head = f"POST /v2/models/iris/infer HTTP/1.1\r\nHost: pod\r\nContent-Length: {len(data)}\r\n"
    with Wire(pod) as wire:
        for _ in range(2):
            wire.send((head + "Expect: 100-continue\r\n\r\n").encode())
            assert wire.response()[0] == 100
            wire.send(data)
            status, reply_head, _ = wire.response()
            assert (status, b"connection: close" in reply_head) == (200, False)


@pytest.mark.parametrize("wish", UPGRADES.values(), ids=UPGRADES)
@pytest.mark.parametrize("whole", [True, False], ids=["at once", "byte by byte"])
def test_a_wish_for_another_protocol_is_ignored_and_the_body_read(pod, wish, whole):
    data = json.dumps(tensor(0.0)).encode()
    sent = [
        lane(more=wish),
        general(more=wish),
        chunked(data, wish),
        LIVE.replace(b"\r\n\r\n", b"\r\n" + wish.encode() + b"\r\n"),
        lane(),
        request({"instances": [[0, 2]]}, path="/invocations", more=wish),
        CLOSE,
    ]
    with Wire(pod) as wire:
        together = b"".join(sent)
        for part in [together] if whole else (together[n : n + 1] for n in range(len(together))):
            wire.send(part)
        found = wire.responses()
    assert [(status, head[:8]) for status, head, _ in found] == [(200, b"http/1.1")] * len(sent)
    assert json.loads(found[-2][2]) == {"predictions": [2.0]}


def test_a_wish_for_another_protocol_waits_for_a_go_ahead_as_any_request(pod):
    data = json.dumps(tensor(0)).encode()
    head = f"POST /v2/models/iris/infer HTTP/1.1\r\nHost: pod\r\nContent-Length: {len(data)}\r\n"
    with Wire(pod) as wire:
        wire.send((head + UPGRADES["h2c"] + "Expect: 100-continue\r\n\r\n").encode())
        assert wire.response()[0] == 100
        wire.send(data)
        assert wire.response()[0] == 200
