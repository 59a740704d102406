"""gRPC's health protocol: serving while traffic is welcome, as readiness is over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

from pennant_serving.admission import Admission
from pennant_serving.errors import ServingError
from pennant_serving.grpc import codec, receiving
from pennant_serving.grpc.messages import HealthCheckResponse, message
from pennant_serving.grpc.receiving import Context
from pennant_serving.grpc.service import SERVICE, code_of
from pennant_serving.lifecycle.lifecycle import Lifecycle

HEALTH = "grpc.health.v1.Health"
KNOWN = ("", SERVICE, HEALTH)
WATCH_SECONDS = 0.2
"""Between two looks at whether the status has changed."""
HealthCheckRequest = message("grpc.health.v1.HealthCheckRequest")


class Health:
    """Answers whoever asks about the server or one of its services."""

    def __init__(self, lifecycle: Lifecycle, admission: Admission, timeout: float) -> None:
        self._lifecycle = lifecycle
        self._admission = admission
        self._timeout = timeout

    def handler(self) -> grpc.GenericRpcHandler:
        """The service as a server takes it."""
        answer = HealthCheckResponse.SerializeToString
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {  # one message each, as of all
            "Check": grpc.stream_unary_rpc_method_handler(self._check, None, answer),
            "Watch": grpc.stream_stream_rpc_method_handler(self._watch, None, answer),
        }
        return grpc.method_handlers_generic_handler(HEALTH, methods)

    async def _check(self, _messages: object, context: Context) -> Any:
        service = await self._service(context)
        if service not in KNOWN:
            message = f"there is no service {service!r} here"
            await context.abort(grpc.StatusCode.NOT_FOUND, message)
        return self._status(service)

    async def _watch(self, _messages: object, context: Context) -> AsyncIterator[Any]:
        """What it is now, and each change, until the client goes or the server does."""
        service, last = await self._service(context), None
        while True:
            status = self._status(service)
            if status != last:
                yield status
            last = status
            await asyncio.sleep(WATCH_SECONDS)

    async def _service(self, context: Context) -> str:
        """Which one is asked about."""
        try:
            with self._admission.reserve() as reservation:
                raw = await receiving.message(context, reservation, self._timeout)
                return str(codec.parse(HealthCheckRequest, raw).service)
        except ServingError as error:
            return str(await context.abort(code_of(error), str(error)))

    def _status(self, service: str) -> Any:
        if service not in KNOWN:
            return HealthCheckResponse(status="SERVICE_UNKNOWN")
        is_ready = self._lifecycle.is_ready
        return HealthCheckResponse(status="SERVING" if is_ready else "NOT_SERVING")
