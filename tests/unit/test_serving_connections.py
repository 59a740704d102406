"""One connection without a socket: what arrives is answered the same however it was cut."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from collections.abc import Sequence
from contextvars import ContextVar
from itertools import pairwise

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import StreamingResponse
from uvicorn.server import ServerState

from pennant_serving.fast.lane import FastLane
from pennant_serving.http import server
from pennant_serving.http.connections.connection import HttpConnection, connection_class
from pennant_serving.http.connections.limits import ConnectionLimits
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.metrics.telemetry import Telemetry
from pennant_testing.running.generated_examples import examples
from pennant_testing.serving.adapters.array_adapter import ArrayAdapter
from pennant_testing.serving.app_builders import model

pytestmark = pytest.mark.unit

H2C = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
ROWS = b'{"instances": [[1, 2]]}'
SUM = b'{"predictions":[3.0]}'


def request(body: bytes = b"", path: str = "/other", more: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: pod\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def chunked(body: bytes, more: str = "") -> bytes:
    head = f"POST /other HTTP/1.1\r\nHost: pod\r\nTransfer-Encoding: chunked\r\n{more}\r\n"
    return b"%s%x\r\n%s\r\n0\r\n\r\n" % (head.encode(), len(body), body)


GOOD = {
    b"GET /other HTTP/1.1\r\nHost: pod\r\n\r\n": b"",
    request(b"some"): b"some",
    request(b"a" * 3000): b"a" * 3000,
    request(ROWS, "/invocations"): SUM,
    request(b"[", "/invocations"): b"[",  # left to the application
    request(ROWS, "/invocations", H2C): ROWS,  # so is whoever asks for something else
    request(b"more", more=H2C): b"more",
    request(more=H2C): b"",
    chunked(b"parts"): b"parts",
    chunked(b"parts", H2C): b"parts",
}
"""Requests, and the bodies of their answers."""
LAST = {
    b"": [],
    b"GET /other HTTP/1.0\r\n\r\n": [200],
    request(b"last", more="Connection: close\r\n"): [200],
    b"\x00\x01\x02\r\n\r\n": [400],
    b"GET /other HTTP/1.1\r\n\r\n": [400],
    request(b"x", more="Transfer-Encoding: chunked\r\n"): [400],
    request(more="Host: pod\r\n"): [400],
}
"""What comes last, and the statuses of its answers; nothing behind it is answered."""


SEEN: ContextVar[bytes] = ContextVar("seen", default=b"nothing")


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False

    def write(self, data):
        assert not self.closed
        self.written += data

    def write_eof(self):
        self.closed = True

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed

    def get_write_buffer_size(self):
        return 0

    def pause_reading(self):
        """What is given to the connection is given anyway."""

    resume_reading = pause_reading


async def echo(scope, receive, send):
    """Answers with the body that it was sent."""
    if scope["path"] == "/stream":
        asked = Request(scope, receive)
        length = {"content-length": asked.headers["content-length"]}
        await StreamingResponse(asked.stream(), headers=length)(scope, receive, send)
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    if scope["path"] == "/seen":
        body = SEEN.get()
        SEEN.set(b"what another left")
    if scope["path"] == "/names":
        body = b",".join(name for name, _ in scope["headers"])
    length = str(len(body)).encode()
    headers = [(b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
    if scope["path"] == "/raises":  # as starlette does when it has answered with 500
        raise RuntimeError("as asked")


def connect(transport: Transport) -> HttpConnection:
    lane, lifecycle = FastLane(Telemetry("iris", "7")), Lifecycle()
    served = model(ArrayAdapter())
    lane.open(served)
    lifecycle.ready(served)
    config = uvicorn.Config(echo, log_config=None)
    config.load()
    kind = connection_class(
        lifecycle=lifecycle,
        lane=lane,
        waiting=None,
        watch=None,
        limits=ConnectionLimits(60, 30, 64),
    )
    connection = kind(config, ServerState(), {})
    connection.connection_made(transport)
    return connection


async def answered(connection: HttpConnection) -> None:
    """Until nothing is due."""
    async with asyncio.timeout(30):
        while connection.due and not connection.transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def answers(parts: Sequence[bytes]) -> tuple[list[int], list[bytes], bool]:
    """Statuses, bodies, and whether the connection was closed."""
    transport = Transport()
    connection = connect(transport)
    for part in parts:
        connection.data_received(part)
        await asyncio.sleep(0)
    await answered(connection)
    connection.connection_lost(None)
    statuses, bodies, rest = [], [], transport.written
    while rest:
        head, _, rest = rest.partition(b"\r\n\r\n")
        (length,) = (
            int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"content-length: ")
        )
        statuses.append(int(head.split()[1]))
        bodies.append(rest[:length])
        rest = rest[length:]
    return statuses, bodies, transport.closed


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[one:other] for one, other in pairwise(edges) if one < other]


@examples(150)
@given(
    st.lists(st.sampled_from(list(GOOD)), max_size=5),
    st.sampled_from(list(LAST)),
    st.lists(st.integers(0, 2**20), max_size=8),
)
def test_every_request_has_its_answer_in_order_until_the_last_wherever_packets_end(
    good, last, places
):
    behind = next(iter(GOOD)) if last else b""
    got = asyncio.run(answers(cut(b"".join(good) + last + behind, places)))
    statuses, bodies, closed = got
    assert statuses == [200] * len(good) + LAST[last]
    assert bodies[: len(good)] == [GOOD[each] for each in good]
    assert closed is bool(last)


def test_no_request_sees_what_one_before_it_on_the_connection_noted():
    """Their times, and what is written down of them: all of it is in variables of the context."""
    _, bodies, _ = asyncio.run(answers([request(path="/seen") * 3, request(path="/seen")]))
    assert bodies == [b"nothing"] * 4


def test_what_comes_behind_a_body_is_no_header():
    head = b"POST /names HTTP/1.1\r\nHost: pod\r\nTransfer-Encoding: chunked\r\n\r\n"
    sent = head + b"1\r\na\r\n0\r\nAuthorization: me\r\nHost: other\r\n\r\n"
    statuses, bodies, _ = asyncio.run(answers([sent]))
    assert (statuses, bodies) == ([200], [b"host,transfer-encoding"])


def test_an_answer_may_be_made_of_the_body_while_that_arrives():
    body = b"a" * 70_000
    got = asyncio.run(answers(cut(request(body, "/stream") + request(b"two"), [90, 50_000])))
    assert got == ([200, 200], [body, b"two"], False)


def test_an_error_after_an_answer_takes_no_answer_from_those_behind(caplog):
    got = asyncio.run(answers([request(b"one", "/raises") + request(b"two")]))
    assert got == ([200, 200], [b"one", b"two"], False)
    (record,) = caplog.records
    assert "as asked" in str(record.exc_info)


def test_empty_lines_between_requests_are_no_request():
    async def after(*parts: bytes) -> tuple[bytes, bool]:
        transport = Transport()
        connection = connect(transport)
        for part in parts:
            connection.data_received(part)
        await answered(connection)
        is_receiving = connection._reader.is_receiving
        connection.connection_lost(None)
        return transport.written, is_receiving

    sent = request(b"some")
    written, is_receiving = asyncio.run(after(sent, b"\r\n", b"\r\n", sent, b"\r\n"))
    assert written.count(b"HTTP/1.1 200 OK") == 2
    assert not is_receiving


class Seen:
    """In place of a connection, notes what the server asks of it."""

    def __init__(self) -> None:
        self.asked = []

    def look(self, now):
        self.asked.append("look")

    def restart(self, now):
        self.asked.append("restart")


def test_nobody_is_judged_by_a_time_in_which_the_loop_stood_still(monkeypatch):
    monkeypatch.setattr(server, "LOOK_SECONDS", 0.05)

    async def stand_still_and_go_on() -> list[str]:
        seen = Seen()
        serving = server.Server(uvicorn.Config(echo), Lifecycle(), 0.0)
        serving.server_state.connections.add(seen)
        looking = asyncio.create_task(serving._look())
        await asyncio.sleep(0)
        time.sleep(0.2)  # noqa: ASYNC251 - as a model would that computes in the loop
        async with asyncio.timeout(30):
            while len(seen.asked) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        looking.cancel()
        return seen.asked

    assert asyncio.run(stand_still_and_go_on())[0] == "restart"


@pytest.mark.parametrize("sent", [*GOOD, request(b"half")[:-1], b"\x00\r\n"])
def test_a_connection_that_is_over_is_freed_without_a_garbage_collection(sent):
    async def once() -> weakref.ref[HttpConnection]:
        connection = connect(Transport())
        connection.data_received(sent)
        for _ in range(20):
            await asyncio.sleep(0)
        connection.connection_lost(None)
        await asyncio.sleep(0.01)
        return weakref.ref(connection)

    gc.collect()
    gc.disable()
    try:
        assert asyncio.run(once())() is None
    finally:
        gc.enable()
