"""gRPC calls go by the limits that HTTP's requests go by."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest

from pennant_dev.ports import free_port
from pennant_serving.admission import (
    ALL_BODIES_LIMIT_BYTES,
    BODY_LIMIT_BYTES,
    SMALL_BODY_BYTES,
    Admission,
)
from pennant_serving.batching.pool import Pool
from pennant_serving.grpc import codec, receiving
from pennant_serving.grpc.health import HEALTH
from pennant_serving.grpc.messages import ModelInferRequest
from pennant_serving.grpc.server import GrpcServer, channel_options
from pennant_serving.grpc.service import SERVICE
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.metrics.telemetry import Telemetry
from pennant_testing.serving.app_builders import Echo, model, settings

pytestmark = pytest.mark.integration

METHOD = f"/{SERVICE}/ModelInfer"
CALL_TIMEOUT_SECONDS = 30


class Gate(Echo):
    """Predicts when it may, and remembers what."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.asked: list[Any] = []

    def predict(self, rows: Any) -> Any:
        self.asked += list(rows)
        self.open.wait(CALL_TIMEOUT_SECONDS)
        return list(rows)


@dataclass
class Stage:
    """A server of one model and one thread, and a client of it."""

    channel: grpc.aio.Channel
    adapter: Gate
    admission: Admission
    telemetry: Telemetry
    tasks: list[Any] = field(default_factory=list)

    def call(self, raw: bytes | ModelInferRequest) -> grpc.aio.UnaryUnaryCall:
        if not isinstance(raw, bytes):
            raw = raw.SerializeToString()
        return self.channel.unary_unary(METHOD)(raw, timeout=CALL_TIMEOUT_SECONDS)

    def codes(self) -> set[str]:
        """Of the calls that have ended."""
        return {key[-1] for key, *_ in self.telemetry.histograms.snapshot() if METHOD in key}


@asynccontextmanager
async def stage(**changes: Any) -> AsyncIterator[Stage]:
    port, lifecycle = free_port(), Lifecycle()
    configured = settings(grpc_port=port, **changes)
    adapter, room, telemetry = Gate(), Admission(), Telemetry("iris", "7")
    lifecycle.ready(model(adapter, pool=Pool(1), timeout=configured.request_timeout))
    server = GrpcServer(configured, lifecycle, telemetry, room)
    await server.open()
    options = [("grpc.max_send_message_length", -1), ("grpc.enable_retries", 0)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        yield Stage(channel, adapter, room, telemetry)
    adapter.open.set()
    lifecycle.drain()
    await server.ended()


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 2 * CALL_TIMEOUT_SECONDS))


async def until(so: Callable[[], object]) -> None:
    while not so():  # noqa: ASYNC110 - nothing tells when it is; `run` has the deadline
        await asyncio.sleep(0.01)


def infer(text: str = "a", size: int = 0) -> ModelInferRequest:
    """A request of one text, with so many bytes more."""
    request = ModelInferRequest(model_name="iris", id="x" * size)
    tensor = request.inputs.add(name="x", datatype="BYTES", shape=[1])
    tensor.contents.bytes_contents.append(text.encode())
    return request


async def code_of(call: Any) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return raised.value.code()


DRAIN = {"drain_seconds": 0.4}


def test_large_messages_are_refused_while_others_take_the_room_and_small_ones_never():
    async def scenario() -> None:
        async with stage(**DRAIN) as staged:
            staged.adapter.open.set()
            with contextlib.ExitStack() as others:
                for _ in range(ALL_BODIES_LIMIT_BYTES // BODY_LIMIT_BYTES):
                    others.enter_context(staged.admission.reserve()).grow(BODY_LIMIT_BYTES)
                code = await code_of(staged.call(infer(size=2 * SMALL_BODY_BYTES)))
                assert code is grpc.StatusCode.UNAVAILABLE
                await staged.call(infer())
            await staged.call(infer(size=2 * SMALL_BODY_BYTES))

    run(scenario())


def test_the_message_is_let_go_before_the_model_runs(monkeypatch):
    gone, arrive = threading.Event(), receiving.message

    class Message(bytes):
        def __del__(self) -> None:
            gone.set()

    async def message(*given: Any) -> bytes:
        return Message(await arrive(*given))

    monkeypatch.setattr(receiving, "message", message)

    async def scenario() -> None:
        async with stage(**DRAIN) as staged:
            call = staged.call(infer())
            await until(lambda: staged.adapter.asked)
            is_gone = gone.is_set()
            staged.adapter.open.set()
            await call
        assert is_gone

    run(scenario())


def test_a_message_that_is_still_coming_counts_as_the_largest_there_may_be():
    async def scenario() -> None:
        async with stage(**DRAIN) as staged:
            coming = staged.channel.stream_unary(METHOD)(timeout=CALL_TIMEOUT_SECONDS)
            await until(lambda: staged.admission.bytes == BODY_LIMIT_BYTES)
            staged.adapter.open.set()
            await coming.write(infer().SerializeToString())
            await coming.done_writing()
            await coming
            await until(lambda: staged.admission.bytes == 0)

    run(scenario())


def test_no_more_messages_are_coming_at_a_time_than_there_is_room_for():
    async def scenario() -> None:
        async with stage(**DRAIN) as staged:
            most = ALL_BODIES_LIMIT_BYTES // BODY_LIMIT_BYTES
            calls = [
                staged.channel.stream_unary(METHOD)(timeout=CALL_TIMEOUT_SECONDS)
                for _ in range(most)
            ]
            await until(lambda: staged.admission.bytes == ALL_BODIES_LIMIT_BYTES)
            one_more = staged.channel.stream_unary(METHOD)(timeout=CALL_TIMEOUT_SECONDS)
            assert await one_more.code() is grpc.StatusCode.UNAVAILABLE
            for each in calls:
                each.cancel()
            await until(lambda: staged.admission.bytes == 0)

    run(scenario())


@pytest.mark.parametrize("method", [f"/{HEALTH}/Check", f"/{SERVICE}/ServerLive"])
def test_every_method_takes_its_message_in_the_same_way(method):
    async def scenario() -> None:
        async with stage(**DRAIN) as staged:
            coming = staged.channel.stream_unary(method)(timeout=CALL_TIMEOUT_SECONDS)
            await until(lambda: staged.admission.bytes == BODY_LIMIT_BYTES)
            await coming.write(b"")
            await coming.done_writing()
            await coming
            await until(lambda: staged.admission.bytes == 0)

    run(scenario())


def test_a_message_that_does_not_come_is_a_time_out():
    async def scenario() -> None:
        async with stage(request_timeout=0.2, **DRAIN) as staged:
            never = staged.channel.stream_unary(METHOD)(timeout=CALL_TIMEOUT_SECONDS)
            assert await never.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            assert "0.2 s" in await never.details()

    run(scenario())


def test_a_call_without_a_message_and_one_that_is_no_message_are_told_so():
    async def scenario() -> None:
        async with stage(**DRAIN) as staged:
            empty = staged.channel.stream_unary(METHOD)(timeout=CALL_TIMEOUT_SECONDS)
            await empty.done_writing()
            assert await empty.code() is grpc.StatusCode.INVALID_ARGUMENT
            code = await code_of(staged.call(b"\x0f"))
            assert code is grpc.StatusCode.INVALID_ARGUMENT

    run(scenario())


def test_a_call_whose_client_has_left_is_never_predicted_and_counted_as_cancelled():
    async def scenario() -> None:
        async with stage(**DRAIN) as staged:
            first = staged.call(infer("first"))
            await until(lambda: staged.adapter.asked == ["first"])
            leaving = staged.call(infer("leaving"))
            await until(lambda: staged.admission.bytes > len(infer("first").SerializeToString()))
            leaving.cancel()
            await until(lambda: "CANCELLED" in staged.codes())
            staged.adapter.open.set()
            await first
            await staged.call(infer("last"))
            assert staged.adapter.asked == ["first", "last"]

    run(scenario())


def test_a_call_may_take_its_whole_time_however_old_its_connection_is():
    for seconds in (0.5, 30, 300):
        options = dict(channel_options(settings(request_timeout=seconds, drain_seconds=1)))
        to_arrive = to_be_answered = seconds * 1000
        assert options["grpc.max_connection_age_grace_ms"] > to_arrive + to_be_answered


def recorded(threads: dict[str, str], name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which says in which thread it was called."""

    def function(*arguments: Any) -> Any:
        threads[name] = threading.current_thread().name
        return real(*arguments)

    return function


def test_many_values_are_decoded_and_written_beside_the_event_loop(monkeypatch):
    threads: dict[str, str] = {}
    for name in ("decode", "encode"):
        monkeypatch.setattr(codec, name, recorded(threads, name, getattr(codec, name)))

    def floats(count: int) -> ModelInferRequest:
        request = ModelInferRequest(model_name="iris")
        tensor = request.inputs.add(name="x", datatype="FP32", shape=[count])
        tensor.contents.fp32_contents.extend([1.0] * count)
        return request

    async def scenario() -> None:
        async with stage(**DRAIN) as staged:
            staged.adapter.open.set()
            await staged.call(floats(1))
            assert set(threads.values()) == {"MainThread"}
            await staged.call(floats(10_000))
            assert {each.partition("_")[0] for each in threads.values()} == {"codec"}

    run(scenario())
