"""Open Inference Protocol V2."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pennant_serving import inference
from pennant_serving.codecs import v2
from pennant_serving.codecs.v2 import InferRequest
from pennant_serving.http.endpoints.body import header_length, read
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.model import metadata
from pennant_serving.model.model import Model


async def server(_request: Request) -> Response:
    return JSONResponse(metadata.SERVER)


async def model_metadata(request: Request) -> Response:
    _check_path(request)
    return JSONResponse(metadata.of_model(_model(request)))


async def model_ready(request: Request) -> Response:
    _check_path(request)
    lifecycle: Lifecycle = request.app.state.lifecycle
    is_ready = lifecycle.is_ready
    content = {"name": request.path_params["model"], "ready": is_ready}
    return JSONResponse(content, status_code=200 if is_ready else 503)


async def infer(request: Request) -> Response:
    _check_path(request)
    model = _model(request)
    body = await read(request)
    decoding = inference.decoded(model, v2.decode, body, header_length(request))
    del body
    async with inference.in_time(model):
        asked = await decoding
        result = await inference.answer(model, asked, "v2")
        response = inference.encoded(model, asked.rows, _response, result, asked, model)
        del asked, result
        return await response


def _response(result: Any, asked: InferRequest, model: Model) -> Response:
    head, *parts = v2.encode_mixed(result, asked, model.name, model.version)
    if not parts:
        return Response(head, media_type="application/json")
    headers = {"inference-header-content-length": str(len(head))}
    body = b"".join((head, *parts))
    return Response(body, media_type="application/octet-stream", headers=headers)


def _model(request: Request) -> Model:
    lifecycle: Lifecycle = request.app.state.lifecycle
    return lifecycle.model


def _check_path(request: Request) -> None:
    path: dict[str, str] = request.path_params
    inference.check_identity(request.app.state.settings, path["model"], path.get("version"))
