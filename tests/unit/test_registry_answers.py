"""Whatever answers at a registry's address, it makes trouble or a model's own state, and no more.

Real requests over a real socket: what answers is like MLflow, but for what is drawn.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.registry.registries import parse_registry
from pennant_operator.decide.seen.observed import Absent, ModelVersion, Unresolved
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.mlflow import http as mlflow_http
from pennant_operator.observe.mlflow.api import SEARCH_PAGES_LIMIT, Registry
from pennant_operator.observe.mlflow.body import ANSWER_LIMIT_BYTES
from pennant_operator.observe.mlflow.http import MlflowHttp
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError
from pennant_operator.observe.poll.known import Known
from pennant_operator.observe.poll.poll import Poll
from pennant_operator.observe.webhook.subscription import Wanted, subscribe
from pennant_testing.mlflow.poll_answers import answers

pytestmark = pytest.mark.unit

NAMES = ["cars", "news", "mail", "maps", "rent"]
WATCHES = [
    *(Watch("default", name, alias="production") for name in NAMES),
    Watch("default", "cars", version="3"),
    Watch("default", "news", stage="Production"),
]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is given up while a test may take: the machine may be busy."""
    monkeypatch.setattr(mlflow_http, "REQUEST_SECONDS", 300.0)


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def model(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "creation_timestamp": 1,
        "aliases": [{"alias": "production", "version": "3"}],
        "latest_versions": [{"version": "3", "current_stage": "Production"}],
    }


def as_mlflow(path: str, query: Any) -> dict[str, Any]:
    """What a well registry would say."""
    version = {"name": query.get("name", "news"), "version": "3", "creation_timestamp": 1}
    version |= {"current_stage": "Production", "source": "runs:/r/m", "tags": []}
    bodies = {
        "registered-models/get": {"registered_model": model(query.get("name", ""))},
        "registered-models/search": {"registered_models": [model(name) for name in NAMES]},
        "model-versions/get": {"model_version": version},
        "model-versions/search": {"model_versions": [version]},
        "model-versions/get-download-uri": {"artifact_uri": "runs:/r/m"},
        "logged-models/search": {"models": []},
    }
    run = {"info": {"artifact_uri": "mlflow-artifacts:/1/r/artifacts", "experiment_id": "1"}}
    run["outputs"] = {"model_outputs": [{"model_id": "m-1"}]}
    return bodies.get(path, {"run": run})


def asked(answer: Answer, scenario: Callable[[MlflowHttp], Awaitable[None]]) -> None:
    """Ask a server that answers so."""

    async def run() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        async with TestServer(app) as server:
            spec = {"url": str(server.make_url("")).rstrip("/")}
            http = MlflowHttp(parse_registry({"metadata": {"name": "default"}, "spec": spec}))
            try:
                await scenario(http)
            finally:
                await http.close()

    asyncio.run(run())


def polled(answer: Answer, *, times: int = 1, watches: list[Watch] = WATCHES) -> Known:
    """What is known after polls; RegistryTroubleError for the registry's own trouble."""
    known = Known()

    async def scenario(http: MlflowHttp) -> None:
        for _ in range(times):
            await Poll(Registry(http), "3.17.2", known).ask(watches)

    asked(answer, scenario)
    return known


def path_of(request: web.Request) -> str:
    return request.path.removeprefix("/api/2.0/mlflow/")


ODD = ["9" * 30, "\ud800", "-1", "\u0661", "3", "runs:/", "models:/m-", "r/../..", NAMES[0]]
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(ODD),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def mangled(draw: st.DrawFn, value: Any) -> Any:
    """The same, with something in it replaced, left out or added."""
    if isinstance(value, dict) and value and draw(st.integers(0, 3)):
        key = draw(st.sampled_from(sorted(value)))
        if draw(st.integers(0, 4)) == 0:
            return {k: v for k, v in value.items() if k != key}
        return value | {key: draw(mangled(value[key]))}
    if isinstance(value, list) and value and draw(st.integers(0, 3)):
        return [draw(mangled(value[0])), *value[1:]]
    return draw(junk)


ASKED = (
    "registered-models/get",
    "registered-models/search",
    "model-versions/get",
    "model-versions/search",
    "model-versions/get-download-uri",
    "runs/get",
    "logged-models/search",
)


@given(
    data=st.data(), path=st.sampled_from(ASKED), status=st.sampled_from([200, 200, 200, 404, 500])
)
def test_no_answer_ends_a_poll_but_with_trouble_or_a_state(
    data: st.DataObject, path: str, status: int
):
    body = data.draw(mangled(as_mlflow(path, {"name": "cars"}) | {"next_page_token": ""}))

    async def answer(request: web.Request) -> web.Response:
        if path_of(request) == path:
            return web.Response(status=status, text=json.dumps(body))
        return web.Response(text=json.dumps(as_mlflow(path_of(request), request.query)))

    try:
        known = polled(answer, times=2)
    except RegistryTroubleError:
        return
    states = [known.state(watch) for watch in WATCHES]
    assert all(isinstance(each, ModelVersion | Unresolved | None) for each in states)
    others = [watch for watch in WATCHES if "get" not in path or watch.model != "cars"]
    assert not any(isinstance(known.state(watch), Absent) for watch in others)


BODIES: dict[str, bytes] = {
    "brackets": b"[" * 200_000,
    "no JSON": b"<html>",
    "bytes": b"\xff\xfe\x00",
    "a number": b"9" * 10_000,
    "long": b" " * (ANSWER_LIMIT_BYTES + 1),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("charset", ["utf-8", "none-such", "utf-16"])
@pytest.mark.parametrize("path", ["registered-models/get", "registered-models/search"])
def test_a_body_that_is_none_is_trouble_of_what_was_asked(body: bytes, charset: str, path: str):
    async def answer(request: web.Request) -> web.Response:
        if path_of(request) != path:
            return web.Response(text=json.dumps(as_mlflow(path_of(request), request.query)))
        headers = {"Content-Type": f"application/json; charset={charset}"}
        return web.Response(body=body, headers=headers)

    watches = WATCHES[:2] if path.endswith("get") else WATCHES
    if path.endswith("search"):
        with pytest.raises(RegistryTroubleError):
            polled(answer, watches=watches)
        return
    known = polled(answer, watches=watches)
    assert {type(known.state(watch)) for watch in watches} == {Unresolved}


PACKED = {"gzip": gzip.compress, "deflate": zlib.compress}


@pytest.mark.parametrize("how", PACKED)
def test_what_is_packed_is_read_up_to_the_same_length(how: str):
    bomb = PACKED[how](b" " * 4 * ANSWER_LIMIT_BYTES)
    assert len(bomb) < ANSWER_LIMIT_BYTES / 100

    def polls(body: bytes) -> Known:
        async def answer(request: web.Request) -> web.Response:
            plain = json.dumps(as_mlflow(path_of(request), request.query)).encode()
            return web.Response(body=body or PACKED[how](plain), headers={"Content-Encoding": how})

        return polled(answer, watches=WATCHES[:1])

    assert len(answers(polls(b""))) == 1
    with pytest.raises(RegistryTroubleError, match="is longer than 16 MiB"):
        polls(bomb)


@pytest.mark.parametrize("packing", ["br", "gzip", "zstd, gzip"])
def test_what_cannot_be_unpacked_is_told(packing: str):
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"{}", headers={"Content-Encoding": packing})

    with pytest.raises(RegistryTroubleError, match="packed as"):
        polled(answer)


@pytest.mark.parametrize("cycle", [1, 7, 10**9])
def test_a_search_that_comes_to_no_end_is_left(cycle: int):
    pages = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal pages
        if path_of(request) != "registered-models/search" or request.query["max_results"] == "1":
            return web.Response(text=json.dumps(as_mlflow(path_of(request), request.query)))
        pages += 1
        return web.Response(text=json.dumps({"next_page_token": f"t{pages % cycle}"}))

    known = polled(answer)
    assert len(answers(known)) == len(WATCHES)  # asked for one by one
    assert pages <= min(cycle + 1, SEARCH_PAGES_LIMIT) * 3


def test_a_model_that_is_too_much_for_any_answer_is_no_other_models_trouble():
    def is_about(path: str, query: Any) -> bool:
        """Names it, or may be answered with it: it is the first of all."""
        named = query.get("name", query.get("filter", "cars"))
        return path.startswith("registered-models") and "cars" in named

    async def answer(request: web.Request) -> web.Response:
        body = json.dumps(as_mlflow(path_of(request), request.query)).encode()
        if is_about(path_of(request), request.query):
            body += b" " * ANSWER_LIMIT_BYTES
        return web.Response(body=body)

    known = polled(answer, times=2)
    states = {watch: known.state(watch) for watch in WATCHES}
    of_it = [type(state) for watch, state in states.items() if watch.model == "cars"]
    assert of_it == [Unresolved, Unresolved]
    others = [state for watch, state in states.items() if watch.model != "cars"]
    assert not any(isinstance(state, Unresolved) for state in others)


def test_words_without_end_are_cut(caplog: pytest.LogCaptureFixture):
    async def answer(request: web.Request) -> web.Response:
        if path_of(request) == "registered-models/search":
            return web.json_response({}, headers={"Set-Cookie": "a=" + "b" * 4000})
        assert "Cookie" not in request.headers
        body = {"error_code": "E" * 100_000, "message": "m" * 100_000}
        return web.json_response(body, status=400)

    known = polled(answer, times=2, watches=WATCHES[:1])
    state = known.state(WATCHES[0])
    assert isinstance(state, Unresolved)
    assert len(state.message) < 1000


HOOKS: dict[str, Any] = {
    "no id": {"webhooks": [{"name": "w", "url": "u"}]},
    "no name": {"webhooks": [{"webhook_id": "1"}]},
    "none": {"webhooks": None},
    "a number": {"webhooks": [7, None, "x", []]},
    "token": {"webhooks": [], "next_page_token": True},
    "endless": {"webhooks": [], "next_page_token": "more"},
}


@pytest.mark.parametrize("hooks", HOOKS.values(), ids=HOOKS)
def test_no_list_of_webhooks_ends_anything(hooks: dict[str, Any]):
    async def answer(request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.Response(text=json.dumps(hooks))
        return web.Response(text=json.dumps({"webhook": {"webhook_id": "ours"}}))

    async def scenario(http: MlflowHttp) -> None:
        wanted = Wanted("pennant-system/default", "http://pennant/hooks/default", "s" * 16)
        try:
            assert await subscribe(http, wanted, "") == "ours"
        except RegistryTroubleError as error:
            assert "is not what the operator knows" in str(error)  # noqa: PT017

    asked(answer, scenario)
