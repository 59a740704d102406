"""gRPC's health protocol, asked by a channel of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from pennant_serving.admission import Admission
from pennant_serving.grpc.health import HEALTH, Health
from pennant_serving.grpc.messages import HealthCheckResponse, message
from pennant_serving.grpc.service import SERVICE
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_testing.serving.app_builders import Echo, model

pytestmark = pytest.mark.integration

HealthCheckRequest = message("grpc.health.v1.HealthCheckRequest")


@asynccontextmanager
async def asked(lifecycle: Lifecycle) -> AsyncIterator[Callable[..., Any]]:
    """Makes a call of a method about a service."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Health(lifecycle, Admission(), 30).handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:

        def call(method: str, service: str) -> Any:
            kind = channel.unary_stream if method == "Watch" else channel.unary_unary
            coded = (HealthCheckRequest.SerializeToString, HealthCheckResponse.FromString)
            return kind(f"/{HEALTH}/{method}", *coded)(HealthCheckRequest(service=service))

        yield call
    await server.stop(None)


def status(answer: Any) -> str:
    return str(HealthCheckResponse.ServingStatus.Name(answer.status))


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 30))


def test_who_watches_is_told_what_it_is_and_each_change():
    async def scenario() -> None:
        lifecycle = Lifecycle()
        async with asked(lifecycle) as call:
            watch = call("Watch", SERVICE)
            assert status(await watch.read()) == "NOT_SERVING"
            lifecycle.ready(model(Echo()))
            assert status(await watch.read()) == "SERVING"
            lifecycle.drain()
            assert status(await watch.read()) == "NOT_SERVING"

    run(scenario())


def test_a_service_that_is_not_here_is_not_found_and_watched_as_unknown():
    async def scenario() -> None:
        async with asked(Lifecycle()) as call:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call("Check", "no.such.Service")
            assert refused.value.code() == grpc.StatusCode.NOT_FOUND
            assert "'no.such.Service'" in str(refused.value.details())
            assert status(await call("Watch", "no.such.Service").read()) == "SERVICE_UNKNOWN"
            assert status(await call("Check", "")) == "NOT_SERVING"

    run(scenario())
