"""The calls of the inference service, and how their errors end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from pennant_serving import inference
from pennant_serving.accesslog import HEADER
from pennant_serving.admission import Admission
from pennant_serving.codecs.v2 import InferRequest
from pennant_serving.errors import ServingError, no_memory
from pennant_serving.grpc import codec, receiving
from pennant_serving.grpc.messages import message
from pennant_serving.grpc.receiving import Context
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.metrics.telemetry import Telemetry
from pennant_serving.model import metadata
from pennant_serving.model.model import Model
from pennant_serving.sampling.record import Record, enter
from pennant_serving.settings import Settings

SERVICE = "inference.GRPCInferenceService"
ENDS = ("Request", "Response")
"""How the names of a method's messages end."""
CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
    507: grpc.StatusCode.RESOURCE_EXHAUSTED,
}
"""By the HTTP status of the same error; what is absent is INTERNAL."""

Call = Callable[[Any], Awaitable[dict[str, Any]]]
Wire = Callable[[bytes], Awaitable[bytes]]


class Service:
    """Open Inference V2 for the one model of this process."""

    def __init__(
        self,
        settings: Settings,
        lifecycle: Lifecycle,
        telemetry: Telemetry,
        admission: Admission,
    ) -> None:
        self._settings = settings
        self._lifecycle = lifecycle
        self._telemetry = telemetry
        self._admission = admission

    def handler(self) -> grpc.GenericRpcHandler:
        """The service as a server takes it."""
        plain: dict[str, Call] = {
            "ServerLive": self._server_live,
            "ServerReady": self._server_ready,
            "ModelReady": self._model_ready,
            "ServerMetadata": self._server_metadata,
            "ModelMetadata": self._model_metadata,
        }
        methods = {name: self._method(name, _parsed(name, call)) for name, call in plain.items()}
        methods["ModelInfer"] = self._method("ModelInfer", self._model_infer)
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    async def _server_live(self, _request: Any) -> Any:
        return {"live": True}

    async def _server_ready(self, _request: Any) -> Any:
        return {"ready": self._lifecycle.is_ready}

    async def _model_ready(self, request: Any) -> Any:
        inference.check_identity(self._settings, request.name, request.version)
        return {"ready": self._lifecycle.is_ready}

    async def _server_metadata(self, _request: Any) -> Any:
        return metadata.SERVER

    async def _model_metadata(self, request: Any) -> Any:
        inference.check_identity(self._settings, request.name, request.version)
        return metadata.of_model(self._lifecycle.model)

    async def _model_infer(self, raw: bytes) -> bytes:
        model = self._lifecycle.model
        async with inference.in_time(model):
            asked = await inference.worked(model, codec.weight(raw), self._asked, raw)
            del raw  # what was decoded has a copy of its own
            result = await inference.answer(model, asked, "grpc")
            response = inference.encoded(model, asked.rows, _response, result, asked, model)
            del asked, result
            return await response

    def _asked(self, raw: bytes) -> InferRequest:
        request, contents = codec.parse_infer(raw)
        inference.check_identity(self._settings, request.model_name, request.model_version)
        return codec.decode(request, contents)

    def _method(self, name: str, call: Wire) -> grpc.RpcMethodHandler[Any, Any]:
        seconds_to_arrive = self._settings.request_timeout

        async def answer(_messages: object, context: Context) -> bytes:
            started, code = time.perf_counter(), grpc.StatusCode.INTERNAL
            record = self._begin(context)
            try:
                await context.send_initial_metadata(self._metadata(record))
                with self._admission.reserve() as reservation:
                    # It has no name here, so that the call can let go of it before the model runs.
                    content = await call(
                        await receiving.message(context, reservation, seconds_to_arrive)
                    )
                code = grpc.StatusCode.OK
            except asyncio.CancelledError:  # the client has left
                code = grpc.StatusCode.CANCELLED
                raise
            except (ServingError, MemoryError) as raised:
                error = no_memory(raised) if isinstance(raised, MemoryError) else raised
                code = code_of(error)
                await context.abort(code, str(error))
            finally:
                route, seconds = f"/{SERVICE}/{name}", time.perf_counter() - started
                self._telemetry.observe(route, code.name, seconds, "grpc")
                if record is not None and self._telemetry.watch is not None:
                    self._telemetry.watch.end(record, "grpc", route, code.name, seconds)
            return content

        # On the wire a stream of one message and a single one are the same.
        return grpc.stream_unary_rpc_method_handler(answer)

    def _begin(self, context: Context) -> Record | None:
        watch = self._telemetry.watch
        if watch is None:
            return None
        given = context.invocation_metadata() or ()
        texts = ((key.encode(), each) for key, each in given)
        record = watch.begin([(k, v.encode() if isinstance(v, str) else v) for k, v in texts])
        if record is not None:
            enter(record)
        return record

    def _metadata(self, record: Record | None) -> tuple[tuple[str, str], ...]:
        if record is None:
            return self._settings.identity
        return (*self._settings.identity, (HEADER.decode(), record.id.decode()))


def code_of(error: ServingError) -> grpc.StatusCode:
    """How a call ends with this error."""
    return CODES.get(error.status, grpc.StatusCode.INTERNAL)


def _parsed(name: str, call: Call) -> Wire:
    """A call by the bytes of its messages."""
    request_class, response_class = (message(f"inference.{name}{e}") for e in ENDS)

    async def answer(raw: bytes) -> bytes:
        content = response_class(**await call(codec.parse(request_class, raw)))
        return bytes(content.SerializeToString())

    return answer


def _response(result: Any, asked: InferRequest, model: Model) -> bytes:
    return bytes(codec.encode(result, asked, model.name, model.version).SerializeToString())
