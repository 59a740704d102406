"""The loaded model's OpenAPI document, and the page made from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from pennant_serving import inference
from pennant_serving.batching.weight import MANY_VALUES
from pennant_serving.codecs.jsonio import dump
from pennant_serving.codecs.media import JSON
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.model.model import Model
from pennant_serving.openapi.document import document
from pennant_serving.openapi.page import page


async def openapi(request: Request) -> Response:
    return await _made(request, lambda _model, spec: Response(dump(spec), media_type=JSON))


async def docs(request: Request) -> Response:
    address = str(request.base_url).rstrip("/")
    return await _made(request, lambda model, spec: HTMLResponse(page(model, spec, address)))


async def _made(request: Request, make: Callable[[Model, dict[str, Any]], Response]) -> Response:
    """From the model's document, which holds its example: that may be an image, or two."""
    lifecycle: Lifecycle = request.app.state.lifecycle
    own: AdapterRoutes = request.app.router.default
    model = lifecycle.model
    return await inference.worked(
        model, MANY_VALUES, lambda: make(model, document(model, own.paths))
    )
