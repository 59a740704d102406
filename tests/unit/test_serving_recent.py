"""The newest requests in memory: how much, which, and who may have them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tracemalloc
from random import Random
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pennant_serving.http.app import create_app
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.recent import wire
from pennant_serving.recent.choosing import one_of_each_stretch, shares
from pennant_serving.recent.memory import AGE_LIMIT_SECONDS, Recent
from pennant_serving.recent.sample import INVOCATIONS, Sample
from pennant_testing.serving.app_builders import Client, Echo, model, settings

pytestmark = pytest.mark.unit

TOKEN = "ab" * 32
SAMPLES = f"{wire.PATH}?requests=100"
RIGHT = {"authorization": f"Bearer {TOKEN}"}


def sample(route: str = "POST /invocations", body: bytes = b"{}", at: float = 0.0) -> Sample:
    return Sample(
        protocol=INVOCATIONS, route=route, method="POST", target="", media="application/json",
        head_bytes=-1, body=body, answer=b"", answer_head_bytes=-1, rows=1, seconds=0.001,
        whole=False, alone=True, at=at,
    )  # fmt: skip


class OwnRoutes(Echo):
    """Answers rows, and a path of its own."""

    def routes(self) -> list[BaseRoute]:
        def answer(request: Request) -> Response:
            return JSONResponse({"user": request.path_params["user"]})

        return [Route("/answer/{user}", answer, methods=["GET", "POST", "PUT"])]


def remembering(adapter: Any = None) -> tuple[Client, Recent]:
    lifecycle, own, recent = Lifecycle(), AdapterRoutes(), Recent()
    served = model(adapter or OwnRoutes())
    own.open(served.adapter.routes(), served.batcher)
    lifecycle.ready(served)
    asked = settings(rehearsal_requests=10, rehearsal_token=TOKEN, revision="r7")
    return Client(create_app(asked, lifecycle, own, recent=recent)), recent


def remembered(client: Client, headers: dict[str, str]) -> tuple[Any, list[Sample]]:
    """What the pod gives."""
    answer: httpx.Response = asyncio.run(client.request("GET", SAMPLES, headers=headers))
    assert answer.status_code == 200
    content = memoryview(answer.content)

    def read(size: int) -> bytes:
        nonlocal content
        part, content = bytes(content[:size]), content[size:]
        return part

    return wire.read(read)


def test_what_is_remembered_takes_no_more_than_it_may_with_all_that_python_adds():
    room = 1024 * 1024
    tracemalloc.start()
    try:
        recent, before = Recent(room), tracemalloc.get_traced_memory()[0]
        for number in range(20_000):
            recent.add(sample(body=b"%d" % number * 3, at=float(number)))
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert recent.answered == 20_000
    assert 1000 < len(recent) < 10_000
    assert 0.4 * room < used <= room


def test_the_oldest_of_what_takes_most_give_way_and_a_rare_kind_stays():
    recent = Recent(50_000, now=lambda: 0.0)
    recent.add(sample("GET /rare"))
    for number in range(1000):
        recent.add(sample(body=b"x" * 400, at=float(number)))
    chosen = recent.choose(1000, Random(1))
    assert sum(each.route == "GET /rare" for each in chosen) == 1
    newest = sorted(each.at for each in chosen if each.route != "GET /rare")
    assert newest == [float(number) for number in range(1000 - len(newest), 1000)]


def test_after_a_day_a_request_is_forgotten():
    recent = Recent(now=lambda: AGE_LIMIT_SECONDS + 10)
    recent.add(sample(at=0.0))
    recent.add(sample(at=20.0))
    assert [each.at for each in recent.choose(10, Random(1))] == [20.0]


@given(st.dictionaries(st.integers(), st.integers(1, 500), min_size=1), st.integers(1, 400))
def test_each_kind_has_an_equal_share_or_all_that_there_are(counts, wanted):
    given_shares = shares(counts, wanted)
    assert sum(given_shares.values()) == min(wanted, sum(counts.values()))
    least = min((n for kind, n in given_shares.items() if n < counts[kind]), default=0)
    assert all(n <= least + 1 or not least for n in given_shares.values())


@given(st.integers(1, 2000), st.integers(1, 300), st.randoms(use_true_random=False))
def test_one_is_drawn_from_each_stretch(count, stretches, random):
    places = one_of_each_stretch(count, stretches, random)
    assert len(places) == min(count, stretches)
    assert places == sorted(set(places))
    if stretches < count:
        assert all(n == place * stretches // count or
                   n == ((place + 1) * stretches - 1) // count
                   for n, place in enumerate(places))  # fmt: skip


@pytest.mark.parametrize("period", [2, 3, 4, 5, 50])
def test_a_kind_of_request_that_comes_at_any_period_is_among_those_that_are_drawn(period):
    """A fixed step would meet every one of them, or none."""
    places = one_of_each_stretch(1000, 200, Random(7))
    hits = sum(place % period == 0 for place in places)
    assert 0.4 * 200 / period < hits < 2.5 * 200 / period


def test_a_request_with_a_missing_value_is_of_a_kind_of_its_own():
    bodies = [b'{"a": 1}', b'{"a": null}', b"a,b\n1,\n", b'{"a": NaN}']
    assert len({sample(body=each).kind for each in bodies}) == 2


def test_what_was_answered_is_given_to_who_has_the_token():
    client, recent = remembering()
    body = {"instances": ["x", "y"]}
    client.post("/invocations", json=body)
    client.get("/answer/U106")
    giver, samples = remembered(client, RIGHT)
    assert (giver.version, giver.revision, giver.answered) == ("7", "r7", 2)
    by_route = {each.route: each for each in samples}
    invoked, own = by_route["POST /invocations"], by_route["GET /answer/{user}"]
    assert json.loads(invoked.body) == body
    assert json.loads(invoked.answer) == {"predictions": ["x", "y"]}
    assert (invoked.rows, invoked.whole, own.target, own.answer) == (2, True, "/answer/U106", b"")
    assert repr(own) == "a sample of GET /answer/{user}"
    asked_again = asyncio.run(
        client.request("GET", f"{SAMPLES}&not={recent.instance}", headers=RIGHT)
    )
    assert len(asked_again.content) < 200


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "/invocations", {"json": {"instances": ["boom"]}}),
        ("POST", "/invocations", {"json": {"instances": ["bad"]}}),
        ("POST", "/invocations", {"json": {"instances": ["x" * 70_000]}}),
        ("GET", "/nope", {}),
        ("GET", "/v2/health/live", {}),
        ("GET", "/v2/models/iris", {}),
        ("PUT", "/answer/U106", {}),
        ("GET", "/answer/U106", {"headers": {"authorization": "Bearer x"}}),
        ("GET", "/answer/U106", {"headers": {"x-tenant": "news"}}),
        ("GET", "/answer/U106", {"headers": {"x-forwarded-user": "ada"}}),
        ("GET", "/answer/U106", {"headers": {"x-forwarded-access-token": "x"}}),
        ("GET", "/answer/" + "U" * 3000, {}),
    ],
)
def test_what_failed_or_cannot_be_played_is_not_remembered(method, path, content):
    client, recent = remembering()
    asyncio.run(client.request(method, path, **content))
    assert len(recent) == 0


def test_what_proxies_add_to_every_request_keeps_none_from_being_remembered():
    client, recent = remembering()
    added = {"x-forwarded-for": "10.0.0.1", "x-forwarded-proto": "https", "x-request-id": "a"}
    asyncio.run(client.request("GET", "/answer/U106", headers=added))
    assert len(recent) == 1


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}, {"authorization": TOKEN}])
def test_without_the_token_the_path_is_as_any_that_does_not_exist(headers):
    client, _ = remembering()
    client.post("/invocations", json={"instances": ["x"]})
    answers = [
        asyncio.run(client.request("GET", path, headers=headers)) for path in (wire.PATH, "/nope")
    ]
    first, second = ((a.status_code, a.json()["error"].split(": ")[1]) for a in answers)
    assert first == second == (404, "Not Found")


@given(st.binary(max_size=300))
def test_whatever_is_given_is_samples_or_refused(content):
    rest = memoryview(content)

    def read(size: int) -> bytes:
        nonlocal rest
        part, rest = bytes(rest[:size]), rest[size:]
        return part

    with contextlib.suppress(wire.WireError):
        wire.read(read)
