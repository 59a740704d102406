"""gRPC's health protocol: serving while traffic is welcome, as readiness is over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

from pennant_serving.grpc.messages import HealthCheckResponse, message
from pennant_serving.grpc.receiving import Context
from pennant_serving.grpc.service import SERVICE
from pennant_serving.lifecycle import Lifecycle

HEALTH = "grpc.health.v1.Health"
KNOWN = ("", SERVICE, HEALTH)


class Health:
    """Answers whoever asks about the server or one of its services."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    def handler(self) -> grpc.GenericRpcHandler:
        """The service as a server takes it."""
        request = message("grpc.health.v1.HealthCheckRequest").FromString
        answer = HealthCheckResponse.SerializeToString
        methods = {
            "Check": grpc.unary_unary_rpc_method_handler(self._check, request, answer),
            "Watch": grpc.unary_stream_rpc_method_handler(self._watch, request, answer),
        }
        return grpc.method_handlers_generic_handler(HEALTH, methods)

    async def _check(self, request: Any, context: Context) -> Any:
        if request.service not in KNOWN:
            message = f"there is no service {request.service!r} here"
            await context.abort(grpc.StatusCode.NOT_FOUND, message)
        return self._status(request.service)

    async def _watch(self, request: Any, _context: Context) -> AsyncIterator[Any]:
        """What it is now, and each change, until the client goes or the server does."""
        last = None
        while True:
            status = self._status(request.service)
            if status != last:
                yield status
            last = status
            await asyncio.sleep(WATCH_SECONDS)

    def _status(self, service: str) -> Any:
        if service not in KNOWN:
            return HealthCheckResponse(status="SERVICE_UNKNOWN")
        is_ready = self._lifecycle.is_ready
        return HealthCheckResponse(status="SERVING" if is_ready else "NOT_SERVING")


WATCH_SECONDS = 0.2
