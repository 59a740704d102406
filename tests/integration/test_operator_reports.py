"""The operator reads the reports of real pods, and of what is none, briefly and within bounds."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from pennant_dev.ports import free_port
from pennant_operator.decide.seen.answers import ReportQuestion, Reports
from pennant_operator.observe.reports.reading import REPORT_LIMIT_BYTES
from pennant_operator.observe.reports.reports import PodReader
from pennant_testing.serving.moody_pods import ask, moody

pytestmark = pytest.mark.integration

KEY = ("team", "rec")
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def question(*addresses: str, version: str = "7", about: str = "x") -> ReportQuestion:
    return ReportQuestion(about, "iris", version, 60, addresses)


def read(*asked: ReportQuestion) -> Reports:
    """What a reader has of the last question, once it has asked all of them."""

    async def within() -> Reports:
        return await latest(*asked)

    return asyncio.run(within())


async def latest(*asked: ReportQuestion) -> Reports:
    came: asyncio.Queue[Any] = asyncio.Queue()
    reader = PodReader(came.put_nowait)
    for each in asked:
        assert reader.latest(KEY, each) is None
        assert await came.get() == KEY
    reports = reader.latest(KEY, asked[-1])
    await reader.close()
    assert reports is not None
    return reports


def test_the_answers_of_all_pods_are_added_up(tmp_path: Path):
    with moody(tmp_path / "a", every=3) as one, moody(tmp_path / "b", seconds=0.03) as other:
        ask(one, 9)
        ask(other, 11)
        reports = read(question(f"127.0.0.1:{one.port}", f"127.0.0.1:{other.port}"))
    tally = reports.answers.tally
    assert (reports.read, reports.unread) == (2, "")
    assert (tally.requests, tally.errors) == (20, 3)
    assert tally.median is not None
    assert 0.025 < tally.median < 0.2


def test_a_pod_of_another_version_or_none_at_all_is_left_out_and_named(tmp_path: Path):
    nobody = f"127.0.0.1:{free_port()}"
    with moody(tmp_path) as pod:
        ask(pod, 5)
        address = f"127.0.0.1:{pod.port}"
        some = read(question(address, nobody))
        other = read(question(address, version="8"))
        (*_, of_another_question) = [read(question(nobody, about="y"), question(address))]
    assert (some.read, some.answers.tally.requests) == (1, 5)
    assert some.unread.startswith("pods cannot be asked (ClientConnectorError): see that no Netw")
    assert (other.read, other.unread) == (
        0,
        "answers as another model or version than iris 8",
    )
    assert (of_another_question.about, of_another_question.read) == ("x", 1)


@contextlib.asynccontextmanager
async def stranger(answer: Callable[[asyncio.StreamWriter], Any]) -> AsyncIterator[str]:
    """What else may have a pod's address, and its own idea of an answer."""

    handlers: list[Any] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.append(asyncio.current_task())
        try:
            with contextlib.suppress(OSError):
                await reader.readuntil(b"\r\n\r\n")
                await answer(writer)
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in handlers:
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


def says(content: bytes) -> Callable[[asyncio.StreamWriter], Any]:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()

    return answer


async def never(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def drops(writer: asyncio.StreamWriter) -> None:
    """A byte now and then."""
    writer.write(OK + b"\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def pours(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"\r\n")
    while True:
        writer.write(b"[" * REPORT_LIMIT_BYTES)
        await writer.drain()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (never, "pods do not answer within 1 s: see that no NetworkPolicy keeps the operator"),
        (drops, "pods do not answer within 1 s"),
        (pours, "pods answer with more than 64 KiB, which is no report"),
        (says(b"HTTP/1.1 404 Not Found\r\n\r\n"), "the serving image is older than this operator"),
        (says(b"HTTP/1.1 503 No\r\n\r\n"), "pods answer 503 where they should report"),
        (says(OK + b"\r\n" + b"[" * 60000), "answers with no report of format 1"),
        (says(OK + b"\r\n{}"), "answers with no report of format 1"),
        (says(b"SSH-2.0-OpenSSH\r\n"), "pods cannot be asked (ClientResponseError)"),
        (says(b""), "pods cannot be asked (ServerDisconnectedError)"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_whoever_answers_something_else_costs_a_second_and_is_not_believed(answer, why):
    async def within() -> tuple[Reports, float]:
        async with stranger(answer) as address:
            began = time.monotonic()
            reports = await latest(question(address))
            return reports, time.monotonic() - began

    reports, seconds = asyncio.run(within())
    assert reports.unread.startswith(why)
    assert reports.read == 0
    assert seconds < 30  # on a machine that has other things to do


def test_no_redirect_is_followed():
    asked = []

    async def elsewhere(writer: asyncio.StreamWriter) -> None:
        asked.append(writer)

    async def within() -> Reports:
        async with stranger(elsewhere) as other:
            head = f"HTTP/1.1 302 Found\r\nLocation: http://{other}/\r\n\r\n".encode()
            async with stranger(says(head)) as address:
                return await latest(question(address))

    assert asyncio.run(within()).unread.startswith("pods answer 302")
    assert asked == []


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with moody(tmp_path) as pod:
        assert read(question(f"127.0.0.1:{pod.port}")).read == 1
