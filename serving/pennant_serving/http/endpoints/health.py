"""Probes: live as soon as the process answers, ready while traffic is welcome.

A model whose every thread is in a prediction that does not end is not ready; when that lasts, the
process is not live either, because a thread cannot be taken back.

A probe that may wait is answered in the moment the server is ready, not at the probe's next turn.
"""

from __future__ import annotations

import asyncio
import contextlib

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pennant_serving.errors import Unavailable
from pennant_serving.lifecycle.lifecycle import Lifecycle

READY_WAIT_LIMIT_SECONDS = 5.0
"""A probe that asks for more is answered then."""


async def live(request: Request) -> Response:
    lifecycle: Lifecycle = request.app.state.lifecycle
    is_live = lifecycle.is_live
    return JSONResponse({"live": is_live}, status_code=200 if is_live else 503)


async def ready(request: Request) -> Response:
    """With `?wait=1.5` a server that is still starting answers when it is ready, or then."""
    lifecycle: Lifecycle = request.app.state.lifecycle
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_wait(request)):
            await lifecycle.started.wait()
    is_ready = lifecycle.is_ready
    content = {"ready": is_ready, "phase": lifecycle.phase.value}
    return JSONResponse(content, status_code=200 if is_ready else 503)


async def ping(request: Request) -> Response:
    """MLflow's /ping and /health, which mean that requests can be answered. Raises Unavailable."""
    lifecycle: Lifecycle = request.app.state.lifecycle
    if not lifecycle.is_ready:
        raise Unavailable(f"the server is {lifecycle.phase.value}")
    return Response("\n", media_type="application/json")


def _wait(request: Request) -> float:
    """Seconds that the caller would wait; 0 when that is not understood."""
    try:
        wait = float(request.query_params.get("wait", 0))
    except ValueError:
        return 0.0
    return min(wait, READY_WAIT_LIMIT_SECONDS) if wait > 0 else 0.0
