"""Probes: live as soon as the process answers, ready while traffic is welcome.

A model whose every thread is in a prediction that does not end is not ready; when that lasts, the
process is not live either, because a thread cannot be taken back.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pennant_serving.errors import Unavailable
from pennant_serving.lifecycle import Lifecycle


async def live(request: Request) -> Response:
    lifecycle: Lifecycle = request.app.state.lifecycle
    is_live = lifecycle.is_live
    return JSONResponse({"live": is_live}, status_code=200 if is_live else 503)


async def ready(request: Request) -> Response:
    lifecycle: Lifecycle = request.app.state.lifecycle
    is_ready = lifecycle.is_ready
    content = {"ready": is_ready, "phase": lifecycle.phase.value}
    return JSONResponse(content, status_code=200 if is_ready else 503)


async def ping(request: Request) -> Response:
    """MLflow's /ping and /health, which mean that requests can be answered. Raises Unavailable."""
    lifecycle: Lifecycle = request.app.state.lifecycle
    if not lifecycle.is_ready:
        raise Unavailable(f"the server is {lifecycle.phase.value}")
    return Response("\n", media_type="application/json")
