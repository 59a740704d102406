"""The newest requests for the version that comes next, and what this one's own rehearsal came to.

Both paths exist only where a rehearsal is asked for. Whoever lacks the token is answered as on any
path that does not exist.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from pennant_serving.metrics.telemetry import Telemetry
from pennant_serving.recent.memory import Recent
from pennant_serving.recent.sample import Giver, Sample
from pennant_serving.recent.wire import ANSWER_LIMIT_BYTES, SAMPLES_LIMIT, frame
from pennant_serving.settings import Settings


async def report(request: Request) -> Response:
    telemetry: Telemetry = request.app.state.telemetry
    if telemetry.rehearsed is None:
        raise HTTPException(404)
    return JSONResponse(msgspec.to_builtins(telemetry.rehearsed))


async def samples(request: Request) -> Response:
    settings: Settings = request.app.state.settings
    recent: Recent = request.app.state.recent
    token = request.headers.get("authorization", "").encode("latin-1")
    if not hmac.compare_digest(token, f"Bearer {settings.rehearsal_token}".encode()):
        raise HTTPException(404)
    wanted = request.query_params.get("requests", "")
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 6 else 0
    if recent.instance in request.query_params.getlist("not"):  # they have its samples
        number = 0
    chosen = recent.choose(min(number, SAMPLES_LIMIT), Random())  # noqa: S311 - a sample, no secret
    identity = recent.instance, settings.version, settings.revision
    giver = Giver(*identity, recent.answered, len(recent))
    return StreamingResponse(_frames(giver, chosen), media_type="application/octet-stream")


async def _frames(giver: Giver, chosen: list[Sample]) -> AsyncIterator[bytes]:
    """One after the other, so that they are in memory once."""
    sent = 0
    content: Any = giver
    while sent <= ANSWER_LIMIT_BYTES:
        part = frame(content)
        sent += len(part)
        yield part
        if not chosen:
            return
        content = chosen.pop()
