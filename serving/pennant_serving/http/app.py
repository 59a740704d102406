"""The HTTP application: every route in one list, and what an error looks like on the wire."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pennant_serving.admission import Admission
from pennant_serving.errors import ServingError, content, nested_too_deeply, no_memory
from pennant_serving.http.crowd import Refusing
from pennant_serving.http.endpoints import docs, health, measures, mlflow, rehearsal, v2
from pennant_serving.http.endpoints.body import Admitted
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.http.remembering import Remembering
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.metrics.telemetry import Observed, Telemetry
from pennant_serving.recent import wire
from pennant_serving.recent.memory import Recent
from pennant_serving.settings import Settings

MODEL = "/v2/models/{model}"
REHEARSAL = "/pennant/rehearsal"
VERSION = MODEL + "/versions/{version}"


def create_app(
    settings: Settings,
    lifecycle: Lifecycle,
    own: AdapterRoutes,
    telemetry: Telemetry | None = None,
    admission: Admission | None = None,
    recent: Recent | None = None,
) -> Starlette:
    """The application, which answers its probes before there is a model. With `recent` it remembers
    what it answers, for a rehearsal."""
    telemetry = telemetry or Telemetry(settings.model, settings.version)

    app = Starlette(
        routes=[
            Route("/v2/health/live", health.live),
            Route("/v2/health/ready", health.ready),
            Route("/v2", v2.server),
            Route(MODEL, v2.model_metadata),
            Route(MODEL + "/ready", v2.model_ready),
            Route(MODEL + "/infer", v2.infer, methods=["POST"]),
            Route(VERSION, v2.model_metadata),
            Route(VERSION + "/ready", v2.model_ready),
            Route(VERSION + "/infer", v2.infer, methods=["POST"]),
            Route("/ping", health.ping),
            Route("/health", health.ping),
            Route("/version", mlflow.mlflow_version),
            Route("/invocations", mlflow.invoke, methods=["POST"]),
            Route("/openapi.json", docs.openapi),
            Route("/docs", docs.docs),
            Route("/metrics", measures.metrics),
            Route("/metrics/answers", measures.answers),
            *(_rehearsal_routes() if recent is not None else ()),
        ],
        middleware=[
            Middleware(Observed, telemetry=telemetry),
            Middleware(Refusing),
            Middleware(Admitted, admission=admission or Admission()),
            *([Middleware(Remembering, recent=recent)] if recent is not None else ()),
        ],
        exception_handlers={
            ServingError: _serving_error,
            HTTPException: _http_error,
            MemoryError: _no_memory,
            RecursionError: _nested_too_deeply,
            Exception: _unexpected,
        },
    )
    app.router.default = own  # asked last, so what the adapter adds cannot hide the above
    app.state.telemetry = telemetry
    app.state.settings = settings
    app.state.lifecycle = lifecycle
    app.state.recent = recent
    return app


def _rehearsal_routes() -> list[Route]:
    return [Route(REHEARSAL, rehearsal.report), Route(wire.PATH, rehearsal.samples)]


async def _serving_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServingError)
    return _answer(request, error.status, error.code, str(error), error.headers)


async def _no_memory(request: Request, error: Exception) -> Response:
    assert isinstance(error, MemoryError)
    return await _serving_error(request, no_memory(error))


async def _nested_too_deeply(request: Request, _error: Exception) -> Response:
    """What a model raises has been caught before; this comes from looking at a request."""
    return await _serving_error(request, nested_too_deeply())


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"{request.method} {request.url.path}: {error.detail}"
    return _answer(request, error.status_code, "BAD_REQUEST", message, error.headers)


async def _unexpected(request: Request, error: Exception) -> Response:
    """Its traceback goes to the log; starlette raises it again after this answer."""
    message = f"{type(error).__name__}: {error}"
    return _answer(request, 500, ServingError.code, message)


def _answer(
    request: Request, status: int, code: str, message: str, headers: object = None
) -> Response:
    body = content(request.url.path, code, message)
    return JSONResponse(body, status_code=status, headers=headers)  # type: ignore[arg-type]
