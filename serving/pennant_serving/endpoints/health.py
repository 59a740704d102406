"""Probes: live as soon as the process answers, ready while traffic is welcome."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pennant_serving.errors import Unavailable
from pennant_serving.lifecycle import Lifecycle, Phase


async def live(_request: Request) -> Response:
    return JSONResponse({"live": True})


async def ready(request: Request) -> Response:
    lifecycle: Lifecycle = request.app.state.lifecycle
    is_ready = lifecycle.phase is Phase.READY
    content = {"ready": is_ready, "phase": lifecycle.phase.value}
    return JSONResponse(content, status_code=200 if is_ready else 503)


async def ping(request: Request) -> Response:
    """MLflow's /ping and /health, which mean that requests can be answered. Raises Unavailable."""
    lifecycle: Lifecycle = request.app.state.lifecycle
    if lifecycle.phase is not Phase.READY:
        raise Unavailable(f"the server is {lifecycle.phase.value}")
    return Response("\n", media_type="application/json")
