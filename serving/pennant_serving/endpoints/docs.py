"""The loaded model's OpenAPI document, and the page made from it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from pennant_serving.codecs.jsonio import dump
from pennant_serving.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle import Lifecycle
from pennant_serving.openapi.document import document
from pennant_serving.openapi.page import page


async def openapi(request: Request) -> Response:
    return Response(dump(_document(request)), media_type="application/json")


async def docs(request: Request) -> Response:
    lifecycle: Lifecycle = request.app.state.lifecycle
    address = str(request.base_url).rstrip("/")
    return HTMLResponse(page(lifecycle.model, _document(request), address))


def _document(request: Request) -> dict[str, Any]:
    lifecycle: Lifecycle = request.app.state.lifecycle
    own: AdapterRoutes = request.app.router.default
    return document(lifecycle.model, own.paths)
