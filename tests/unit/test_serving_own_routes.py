"""An adapter's own routes are starlette's, with all that belongs to them; their plain functions run
in the model's threads, under its limits."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from contextvars import ContextVar

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute

from pennant_serving.admission import BODY_LIMIT_BYTES
from pennant_serving.http.app import create_app
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.metrics.telemetry import Telemetry
from pennant_testing.serving.app_builders import Client, Echo, model, settings

pytestmark = pytest.mark.unit

TIMEOUT = 0.2
LONG = 1.0
WHO: ContextVar[str] = ContextVar("who", default="nobody")


class Auth:
    """Middleware that keeps what it wraps to itself."""

    def __init__(self, app, token="secret"):
        def wrapped(scope, receive, send):
            if dict(scope["headers"]).get(b"authorization") != token.encode():
                return PlainTextResponse("who are you?", 401)(scope, receive, send)
            WHO.set("somebody")
            return app(scope, receive, send)

        self.wrapped = wrapped

    async def __call__(self, scope, receive, send):
        await self.wrapped(scope, receive, send)


def where(request: Request) -> Response:
    """In which thread it runs, and for whom."""
    thread = threading.current_thread().name
    return JSONResponse({"thread": thread, "who": WHO.get(), "path": dict(request.path_params)})


class Where:
    def __call__(self, request):
        return where(request)

    def method(self, request):
        return where(request)


class WhereEndpoint(HTTPEndpoint):
    def get(self, request):
        return where(request)

    async def post(self, request):
        return where(request)


def endless(_request):
    time.sleep(LONG)


async def asleep(_request):
    await asyncio.sleep(60)


async def reading(request):
    return JSONResponse({"bytes": len(await request.body())})


def parts():
    for _ in range(3):
        time.sleep(TIMEOUT * 0.6)  # all of them take longer than one may
        yield threading.current_thread().name + "\n"


def refused(_request, error):
    return PlainTextResponse(f"{error} in {threading.current_thread().name}", 418)


def raises(_request):
    raise KeyError("user")


AUTH = [Middleware(Auth)]
DONE: list[str] = []
ROUTES = [
    Route("/plain", where),
    Route("/auth", where, middleware=AUTH),
    Route("/posts", where, methods=["POST"], name="posting", include_in_schema=False),
    Route("/items/{number:int}", where, methods=["GET", "DELETE"]),
    Route("/partial", functools.partial(where)),
    Route("/method", Where().method),
    Route("/class", WhereEndpoint),
    Route("/class/auth", WhereEndpoint, middleware=AUTH),
    Mount("/mounted", routes=[Route("/plain", where), Route("/auth", where, middleware=AUTH)]),
    Mount("/guarded/{tenant}", routes=[Route("/plain", where)], middleware=AUTH),
    Mount("/router", Router([Mount("/deep", routes=[Route("/plain", where)])])),
    Mount(
        "/app",
        Starlette(routes=[Route("/raises", raises)], exception_handlers={KeyError: refused}),
    ),
    Host("hosted", Router([Route("/hosted", where)])),
    WebSocketRoute("/socket", asleep),
    Route("/endless", endless),
    Route("/class/endless", type("Endless", (HTTPEndpoint,), {"get": lambda _s, r: endless(r)})),
    Mount("/endless/mounted", routes=[Route("/plain", endless)]),
    Route("/asleep", asleep),
    Route("/read", reading, methods=["POST"]),
    Route("/parts", lambda _: StreamingResponse(parts())),
    Route("/later", lambda _: Response(background=BackgroundTask(
        lambda: DONE.append(threading.current_thread().name)
    ))),
]  # fmt: skip
PLAIN = ("/plain", "/items/7", "/partial", "/method", "/class", "/mounted/plain",
         "/router/deep/plain")  # fmt: skip
GUARDED = ("/auth", "/class/auth", "/mounted/auth", "/guarded/me/plain")


class Own(Echo):
    def routes(self):
        return ROUTES


@pytest.fixture(scope="module")
def served():
    telemetry, lifecycle, own = Telemetry("iris", "7"), Lifecycle(), AdapterRoutes()
    made = model(Own(), timeout=TIMEOUT)
    own.open(made.adapter.routes(), made.batcher)
    lifecycle.ready(made)
    return Client(create_app(settings(), lifecycle, own, telemetry))


def ask(served, path, method="GET", **content):
    return asyncio.run(served.request(method, path, **content))


@pytest.mark.parametrize("path", PLAIN)
def test_plain_functions_run_in_the_models_threads(served, path):
    answer = ask(served, path)
    assert (answer.status_code, answer.json()["thread"][:7]) == (200, "predict")
    assert ask(served, path, "HEAD").status_code == 200


@pytest.mark.parametrize("path", GUARDED)
def test_middleware_is_asked_first_and_hands_on_what_it_knows(served, path):
    assert ask(served, path).status_code == 401
    answer = ask(served, path, headers={"authorization": "secret"})
    assert answer.status_code == 200
    assert (answer.json()["who"], answer.json()["thread"][:7]) == ("somebody", "predict")


def test_methods_names_and_parameters_are_those_of_the_routes(served):
    assert ask(served, "/posts").status_code == 405
    assert ask(served, "/posts", "POST").status_code == 200
    assert ask(served, "/items/x").status_code == 404
    assert ask(served, "/items/7", "DELETE").json()["path"] == {"number": 7}
    assert ask(served, "/guarded/me/plain", headers={"authorization": "secret"}).json()["path"] == {
        "tenant": "me"
    }
    assert ask(served, "/hosted").status_code == 404
    assert ask(served, "/hosted", headers={"host": "hosted"}).json()["thread"][:7] == "predict"
    assert ask(served, "/class", "POST").json()["thread"] == "MainThread"
    assert ask(served, "/socket").status_code == 404  # there are no WebSockets here


def test_errors_are_answered_by_the_applications_own_handlers_in_the_models_threads(served):
    answer = ask(served, "/app/raises")
    assert (answer.status_code, answer.text[:17]) == (418, "'user' in predict")


@pytest.mark.parametrize(
    "path", ["/endless", "/class/endless", "/endless/mounted/plain", "/asleep"]
)
def test_an_endpoint_that_does_not_end_is_a_time_out(served, path):
    answer = ask(served, path)
    assert (answer.status_code, answer.json()) == (
        504,
        {"error": f"no answer within {TIMEOUT:g} s"},
    )


def test_the_time_for_an_answer_begins_when_the_body_has_arrived(served):
    async def slowly():
        for _ in range(4):
            await asyncio.sleep(TIMEOUT * 0.6)
            yield b"x"

    assert ask(served, "/read", "POST", content=slowly()).json() == {"bytes": 4}


def test_a_body_that_is_too_large_is_refused_before_it_is_all_there(served):
    sent = 0

    async def much():
        nonlocal sent
        while sent < 2 * BODY_LIMIT_BYTES:
            sent += 2**20
            yield bytes(2**20)

    assert ask(served, "/read", "POST", content=much()).status_code == 413
    assert ask(served, "/read", "POST", content=bytes(2**20)).json() == {"bytes": 2**20}


def test_an_answer_in_parts_has_begun_in_time_and_goes_on_in_the_models_threads(served):
    answer = ask(served, "/parts")
    assert (answer.status_code, {line[:7] for line in answer.text.split()}) == (200, {"predict"})


def test_what_is_done_after_the_answer_takes_no_thread_of_the_model(served):
    assert ask(served, "/later").status_code == 200
    (thread,) = DONE
    assert not thread.startswith(("predict", "MainThread"))


def test_the_documentation_and_the_metrics_name_whole_paths(served):
    paths = ask(served, "/openapi.json").json()["paths"]
    assert set(paths["/items/{number}"]) == {"get", "delete"}
    assert set(paths["/class"]) == {"get", "post"}
    assert {"/mounted/plain", "/guarded/{tenant}/plain", "/router/deep/plain", "/hosted"} < set(
        paths
    )
    assert "/posts" not in paths
    ask(served, "/guarded/me/plain", headers={"authorization": "secret"})
    ask(served, "/items/7")
    metrics = ask(served, "/metrics").text
    assert 'protocol="own",route="/guarded/{tenant}/plain"' in metrics
    assert 'route="/items/{number:int}"' in metrics


def test_what_is_not_of_an_own_route_stays_in_starlettes_threads():
    name = asyncio.run(run_in_threadpool(lambda: threading.current_thread().name))
    assert not name.startswith("predict")
