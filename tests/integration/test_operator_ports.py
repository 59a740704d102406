"""The operator's two ports, where anybody may knock: slow, silent, many and odd ones do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge

from pennant_operator.observe.webhook.delivery import delivery
from pennant_operator.observe.webhook.webhook import Outcome
from pennant_operator.run.http import listening, probes, receiver
from pennant_operator.run.http.relay import Relay
from pennant_testing.mlflow.followed_registries import SECRET, signed, until

pytestmark = pytest.mark.integration

HOST = "127.0.0.1"
HEAD = b"POST /hooks/default HTTP/1.1\r\nHost: x\r\n"
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Port = Callable[[], contextlib.AbstractAsyncContextManager[int]]


class Genuine:
    """A webhook that takes what is signed."""

    async def take(self, headers: Any, body: bytes) -> Outcome:
        hook = delivery(headers, body)
        if hook is None:
            return Outcome.MALFORMED
        return Outcome.ACCEPTED if hook.signed_with(SECRET.encode()) else Outcome.FORGED


def port_of(runner: web.AppRunner) -> int:
    return int(runner.addresses[0][1])


@contextlib.asynccontextmanager
async def receiving(leader: str | None = None) -> AsyncIterator[int]:
    """The port of a replica that leads, or of one that hands on."""
    genuine: Any = Genuine()
    receives = receiver.Receiver(
        lambda name: genuine if name == "default" and leader is None else None,
        lambda _registry, _result: None,
        Relay(lambda: leader),
    )
    runner = await receiver.serve(HOST, 0, receives)
    try:
        yield port_of(runner)
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def standing_by() -> AsyncIterator[int]:
    async with receiving() as leader, receiving(f"{HOST}:{leader}") as port:
        yield port


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection(HOST, port, limit=1024)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def answer(port: int, sent: bytes) -> int:
    """The status of the answer."""
    async with connected(port) as (reader, writer):
        writer.write(sent)
        return int((await reader.readline()).split()[1])


def hook(body: bytes = b"{}", **changed: bytes) -> bytes:
    """As MLflow would send it, but for these headers."""
    headers, _ = signed(body)
    sent = {name: value.encode() for name, value in headers.items()}
    sent |= {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [name.encode() + b": " + value + b"\r\n" for name, value in sent.items()]
    length = f"Content-Length: {len(body)}\r\n".encode()
    return HEAD + b"".join(lines) + length + b"\r\n" + body


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "HEAD_SECONDS", 1.0)
    monkeypatch.setattr(listening, "LINGER_SECONDS", 0.2)
    monkeypatch.setattr(listening, "UNREAD_ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(receiver, "BODY_SECONDS", 0.5)


async def ended(reader: asyncio.StreamReader) -> None:
    """Wait until the server has closed the connection."""
    with contextlib.suppress(ConnectionError):
        while await reader.read(65536):
            pass


@pytest.mark.parametrize("replica", [receiving, standing_by], ids=["leader", "standby"])
@pytest.mark.usefixtures("hasty")
def test_unfinished_heads_keep_nobody_out_and_are_ended(
    replica: Port, monkeypatch: pytest.MonkeyPatch
):
    """More than there are places for: the oldest make room, and time ends the others."""
    monkeypatch.setattr(listening, "HEAD_SECONDS", 8.0)

    async def scenario() -> None:
        async with replica() as port, contextlib.AsyncExitStack() as stack:
            silent = [await stack.enter_async_context(connected(port)) for _ in range(400)]
            for _, writer in silent:
                writer.write(HEAD + b"X-Unfinished: ")
            assert await answer(port, hook()) == 200
            too_many = silent[: len(silent) - listening.CONNECTIONS_LIMIT]
            await asyncio.gather(*(ended(reader) for reader, _ in too_many))
            assert await answer(port, hook()) == 200
            await asyncio.gather(*(ended(reader) for reader, _ in silent))

    run(scenario())


@pytest.mark.usefixtures("hasty")
def test_a_head_that_trickles_in_has_as_long_as_any_other():
    async def scenario() -> None:
        async with receiving() as port, connected(port) as (reader, writer):
            over = asyncio.create_task(ended(reader))
            writer.write(HEAD)
            with contextlib.suppress(ConnectionError):
                while not over.done():
                    writer.write(b"X-A: b\r\n")
                    await writer.drain()
                    await asyncio.wait([over], timeout=0.1)
            await over

    run(scenario())


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + b"Content-Length: 100\r\n\r\nx",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"GET /hooks/default HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\nx",
    ],
    ids=["body", "chunk", "body that nobody reads"],
)
@pytest.mark.usefixtures("hasty")
def test_a_body_that_does_not_come_ends_the_connection(sent: bytes):
    async def scenario() -> None:
        async with receiving() as port, connected(port) as (reader, writer):
            writer.write(sent)
            assert int((await reader.readline()).split()[1]) in {405, 408}
            await ended(reader)

    run(scenario())


@pytest.mark.usefixtures("hasty")
def test_an_answer_that_nobody_reads_ends_the_connection():
    registry = CollectorRegistry()
    many = Gauge("many", "Samples for some megabytes.", ["label"], registry=registry)
    for number in range(20_000):
        many.labels("x" * 200 + str(number))

    async def scenario() -> None:
        runner = await probes.serve(HOST, 0, ready=lambda: True, metrics=registry)
        server, port = runner.server, port_of(runner)
        assert server is not None
        async with connected(port) as (_, writer):
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            await until(lambda: server.connections)
            await until(lambda: not server.connections)  # nobody reads
        assert await answer(port, b"GET /healthz HTTP/1.0\r\n\r\n") == 200
        await runner.cleanup()

    run(scenario())


ODD: dict[str, tuple[bytes, int]] = {
    "genuine": (hook(), 200),
    "bytes for a signature": (hook(**{"X-MLflow-Signature": b"\xff"}), 401),
    "umlauts for a signature": (hook(**{"X-MLflow-Signature": "v1,ü".encode()}), 401),
    "bytes for an id": (hook(**{"X-MLflow-Delivery-Id": b"\xff\xfe"}), 400),
    "bytes for a time": (hook(**{"X-MLflow-Timestamp": b"\xff1"}), 400),
    "digits of others for a time": (hook(**{"X-MLflow-Timestamp": "١٢".encode()}), 400),
    "bytes for a type": (hook(**{"Content-Type": b"\xff/\xff; charset=\xff"}), 200),
    "a charset that is none": (hook(**{"Content-Type": b"a/b; charset=none"}), 200),
    "bytes in the path": (HEAD.replace(b"default", b"%FF%00") + b"\r\n", 404),
    "steps in the path": (HEAD.replace(b"default", b"%2e%2e%2fhooks%2fdefault") + b"\r\n", 404),
    "a query in the path": (HEAD.replace(b"default", b"default%3Fa") + b"\r\n", 404),
    "a chunk of no length": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    "what is said to be gzip": (hook(b"no gzip", Content_Encoding=b"gzip"), 200),
    "two lengths": (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400),
    "a length below zero": (HEAD + b"Content-Length: -1\r\n\r\n", 400),
    "an endless header": (HEAD + b"X: " + b"x" * 20_000 + b"\r\n\r\n", 400),
    "an upgrade": (HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 400),
}


@pytest.mark.parametrize("replica", [receiving, standing_by], ids=["leader", "standby"])
@pytest.mark.parametrize(("sent", "status"), ODD.values(), ids=ODD.keys())
def test_what_is_odd_is_refused_by_whoever_gets_it(sent: bytes, status: int, replica: Port):
    """Never a fault of the server: MLflow tries those again, and they are in the log."""

    async def scenario() -> None:
        async with replica() as port:
            got = await answer(port, sent)
            assert got == status or (got, status) == (401, 400)
            assert await answer(port, hook()) == 200

    run(scenario())
