"""The fast lane on the wire: whatever HTTP allows is answered in order, once, and by the rules."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator

import pytest

from pennant_testing.serving.adapters import ARRAY
from pennant_testing.serving.adapters.array_adapter import RAISES, REFUSES
from pennant_testing.serving.app_builders import any_on_volume
from pennant_testing.serving.http_wire import Wire, infer, request, summed
from pennant_testing.serving.serving_process import Serving, serving
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

TIMEOUT = 3.0


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("pod")
    path = any_on_volume(folder)
    variables = {
        "PENNANT_ADAPTER": ARRAY,
        "PENNANT_REQUEST_TIMEOUT": str(TIMEOUT),
        "PENNANT_MAX_CONNECTION_AGE": "60",
        "PENNANT_ACCESS_LOG": "true",
    }
    with serving(folder, path, **variables) as started:
        started.wait_until("/v2/health/ready")
        yield started


def test_requests_in_a_pipeline_are_answered_in_order_whichever_way_they_go(pod):
    nested = infer(2.0)
    nested["inputs"][0]["data"] = [[2.0, 2.0]]  # the general way
    get = b"GET /v2/health/live HTTP/1.1\r\nHost: pod\r\n\r\n"
    with Wire(pod) as wire:
        parts = [request(infer(1.0)), request(nested), request(infer(3.0)), get]
        wire.send(b"".join(parts) + request({"instances": [[4, 2]]}, path="/invocations"))
        bodies = [wire.response()[2] for _ in range(5)]
    assert [summed(body) for body in bodies[:3]] == [3.0, 4.0, 5.0]
    assert json.loads(bodies[3]) == {"live": True}
    assert json.loads(bodies[4]) == {"predictions": [6.0]}


def test_a_request_may_arrive_byte_by_byte(pod):
    with Wire(pod) as wire:
        for byte in request(infer()):
            wire.send(bytes([byte]))
        assert summed(wire.response()[2]) == 3.0


def test_a_chunked_body_and_one_that_waits_for_a_go_ahead_are_answered(pod):
    data = json.dumps(infer()).encode()
    head = b"POST /v2/models/iris/infer HTTP/1.1\r\nHost: pod\r\n"
    with Wire(pod) as wire:
        wire.send(head + b"Transfer-Encoding: chunked\r\n\r\n")
        wire.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data))
        assert summed(wire.response()[2]) == 3.0
        wire.send(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(data))
        assert wire.response()[0] == 100
        wire.send(data)
        assert summed(wire.response()[2]) == 3.0


def test_every_answer_of_the_fast_lane_carries_what_all_answers_carry(pod):
    with Wire(pod) as wire:
        for first, status in ((1.0, 200), (RAISES, 500), (REFUSES, 400)):
            wire.send(request(infer(first, id="42")))
            got, head, body = wire.response()
            assert got == status
            for line in (b"x-pennant-model: iris", b"x-pennant-version: 7", b"date: "):
                assert line in head
            assert json.loads(body).get("id") == ("42" if status == 200 else None)


def test_a_client_that_asks_to_close_is_closed(pod):
    with Wire(pod) as wire:
        wire.send(request(infer(), more="Connection: close\r\n"))
        assert b"connection: close" in wire.response()[1]
        assert wire.ended()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[" * 30000,
        b'{"inputs":' * 5000,
        b"\xff\xfe",
        json.dumps(infer("inf")).encode(),
        json.dumps({"inputs": [infer()["inputs"][0] | {"shape": [2, 2]}]}).encode(),
        json.dumps({"inputs": [infer()["inputs"][0] | {"datatype": "FP65"}]}).encode(),
        json.dumps({"inputs": [infer()["inputs"][0] | {"data": ["a", "b"]}]}).encode(),
        json.dumps(
            {"inputs": [infer()["inputs"][0] | {"shape": [1, 3], "data": [1, 2, 3]}]}
        ).encode(),
    ],
    ids=range(11),
)
def test_a_wrong_body_is_a_400_that_says_what_is_wrong_and_the_connection_goes_on(pod, body):
    with Wire(pod) as wire:
        for path, key in (("/v2/models/iris/infer", "error"), ("/invocations", "message")):
            wire.send(request(body, path=path))
            status, _, answer = wire.response()
            assert (status, bool(json.loads(answer)[key])) == (400, True)
        wire.send(request(infer()))
        assert summed(wire.response()[2]) == 3.0


def test_who_sends_half_a_request_and_waits_is_told_that_it_took_too_long(pod):
    halves = (b"POST /v2/models/iris/infer HTT", request(infer())[:-5])
    with Wire(pod) as one, Wire(pod) as other:
        started = time.monotonic()
        for wire, half in zip((one, other), halves, strict=True):
            wire.send(half)
        for wire in (one, other):
            status, head, _ = wire.response()
            assert (status, b"x-pennant-version: 7" in head) == (408, True)
            assert TIMEOUT <= time.monotonic() - started < 15 * TIMEOUT
            assert wire.ended()


def test_a_head_that_does_not_end_is_refused(pod):
    for start in (b"GET /v2 HTTP/1.1\r\n", b"GET /v2 HTTP/1.1\r\nX: "):
        with Wire(pod) as wire, contextlib.suppress(ConnectionError):
            for _ in range(200):
                wire.send(start)
                start = b"Y: " + b"z" * 1000 + (b"\r\n" if start.endswith(b"\n") else b"")
            status, _, body = wire.response()
            assert (status, json.loads(body)["error"]) == (431, "more than 65536 bytes of headers")


def test_what_is_not_http_is_told_so_in_json(pod):
    with Wire(pod) as wire:
        wire.send(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
        status, _, body = wire.response()
        assert (status, json.loads(body)["error"]) == (400, "Invalid HTTP request received.")


def test_who_does_not_read_the_response_is_cut_off(pod):
    with Wire(pod) as wire:
        wire.send(request(infer(id="x" * 20_000_000)))
        client = wire.socket.getsockname()[1]
        assert client in pod.clients()
        until(lambda: client not in pod.clients(), 15 * TIMEOUT)
        received = sum(map(len, iter(lambda: wire.socket.recv(65536), b"")))
        assert 0 < received < 20_000_000


def test_a_client_that_leaves_costs_the_others_nothing(pod):
    for _ in range(20):
        with Wire(pod) as leaving:
            leaving.send(request(infer()))
    with Wire(pod) as wire:
        wire.send(request(infer()))
        assert summed(wire.response()[2]) == 3.0


def test_metrics_tell_protocols_batches_and_phases_apart(pod):
    with Wire(pod) as wire:
        wire.send(request(infer()))
        wire.response()
    text = pod.request("/metrics")[2].decode()
    for wanted in (
        'protocol="v2",route="/v2/models/{model}/infer"',
        'pennant_serving_queue_seconds_count{model="iris",protocol="v2"',
        'pennant_serving_batch_rows_bucket{le="1.0",model="iris"',
        "pennant_serving_predict_duration_seconds_count",
        'pennant_serving_start_seconds{model="iris",phase="load"',
    ):
        assert wanted in text, text


def test_each_request_is_a_line_of_the_log_under_the_id_that_its_answer_carries(pod):
    given = "X-Request-Id: mine-1\r\n"
    with Wire(pod) as wire:
        wire.send(request(infer(), more=given))
        assert b"x-request-id: mine-1" in wire.response()[1]
        wire.send(request(b"{", path="/invocations", more=given.replace("1", "2")))
        assert b"x-request-id: mine-2" in wire.response()[1]
        wire.send(request(infer()))
        assert b"x-request-id: " in wire.response()[1]
    until(lambda: any(line["id"] == "mine-2" for line in pod.logged()))
    found = {line["id"]: (line["path"], line["status"], line["version"]) for line in pod.logged()}
    assert found["mine-1"] == ("/v2/models/iris/infer", 200, "7")
    assert found["mine-2"] == ("/invocations", 400, "7")
