"""What is counted, for Prometheus and for whoever rolls versions."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pennant_serving.errors import InvalidInput
from pennant_serving.metrics.last_answers import REMEMBERED_SECONDS, report
from pennant_serving.metrics.telemetry import Telemetry
from pennant_serving.settings import Settings

DEFAULT_SECONDS = 60
"""Of answers that are told of, where the question does not say."""


async def metrics(request: Request) -> Response:
    telemetry: Telemetry = request.app.state.telemetry
    return Response(telemetry.exposition(), media_type="text/plain; version=0.0.4")


async def answers(request: Request) -> Response:
    """What was answered in the last `?seconds=`. Raises InvalidInput."""
    telemetry: Telemetry = request.app.state.telemetry
    settings: Settings = request.app.state.settings
    seconds = _seconds(request.query_params.get("seconds", str(DEFAULT_SECONDS)))
    counted = telemetry.last_answers.last(seconds)
    differences = telemetry.differences
    content = report(settings.model, settings.version, seconds, counted, differences)
    return JSONResponse(content | (telemetry.further(counted) if telemetry.further else {}))


def _seconds(text: str) -> int:
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if seconds < 1:
        raise InvalidInput(
            f"seconds={text!r} is no number of seconds: write one from 1 to {REMEMBERED_SECONDS}"
        )
    return min(seconds, REMEMBERED_SECONDS)
