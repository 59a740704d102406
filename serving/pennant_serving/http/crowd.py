"""Very many connections: how many are kept, and what is said to those beyond.

When a process runs out of file descriptors, whoever connects is cut off without a word, the
kubelet's probes too. So it stops before that: on a connection beyond the limit the probes and the
metrics are answered, and everybody else is told to come back.
"""

from __future__ import annotations

import resource

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pennant_serving.errors import Unavailable, content

CONNECTION_LIMIT = 4096
"""Connections that a process keeps; an idle one takes 6 KiB of memory."""
SPARE_DESCRIPTORS = 256
"""File descriptors for everything else: the model's own, gRPC's connections, those beyond the
limit while they are refused."""
BEYOND = "pennant.beyond"
"""In the scope of a request that came on a connection beyond the limit."""
STILL_ANSWERED = (
    *("/v2/health/live", "/v2/health/ready", "/ping", "/health"),
    *("/metrics", "/metrics/answers"),
)


def connections() -> int:
    """How many connections this process may keep; takes the file descriptors for them, as far as
    its hard limit goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTION_LIMIT + SPARE_DESCRIPTORS
    if soft < wanted:
        soft = min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(CONNECTION_LIMIT, max(soft - SPARE_DESCRIPTORS, soft // 2))


class Refusing:
    """ASGI middleware that answers requests from beyond the limit."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if BEYOND not in scope or scope["path"] in STILL_ANSWERED:
            await self._app(scope, receive, send)
            return
        full = Unavailable(f"{scope[BEYOND]} connections are open already")
        body = content(scope["path"], full.code, str(full))
        await JSONResponse(body, full.status, headers=full.headers)(scope, receive, send)
