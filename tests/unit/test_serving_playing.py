"""A sample goes through the application as its request did, and nothing that is raised gets out."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.recent.sample import INFER, INFER_ROUTE, INVOCATIONS, OWN, Sample
from pennant_serving.rehearsal.playing import Answer, create_stage, play
from pennant_testing.serving.app_builders import Echo, model, settings

pytestmark = pytest.mark.unit


class Answering(Echo):
    """Answers rows, and paths of its own."""

    def routes(self) -> list[BaseRoute]:
        def answer(request: Request) -> Response:
            rehearses = request.headers.get("x-pennant-rehearsal")
            return JSONResponse(
                [request.path_params["user"], request.query_params["most"], rehearses]
            )

        async def fail(_request: Request) -> Response:
            raise LookupError("the secret")

        return [Route("/answer/{user}", answer), Route("/fail", fail)]


def sample(protocol: str, body: bytes = b"", target: str = "", **facts: Any) -> Sample:
    plain = {
        "route": "GET /of/its/own", "method": "GET" if protocol == OWN else "POST",
        "media": "application/json", "head_bytes": -1, "answer": b"", "answer_head_bytes": -1,
        "rows": 1, "seconds": 0.001, "whole": True, "alone": True, "at": 0.0,
    }  # fmt: skip
    return Sample(**(plain | facts), protocol=protocol, target=target, body=body)


def played(each: Sample) -> Answer:
    async def rehearsed() -> Answer:
        served, own = model(Answering()), AdapterRoutes()
        own.open(served.adapter.routes(), served.batcher)  # type: ignore[attr-defined]
        return await play(create_stage(settings(), served, own), each, served)

    return asyncio.run(rehearsed())


def test_a_route_of_its_own_is_played_with_its_path_and_query():
    answer = played(sample(OWN, target="/answer/U%20106?most=5"))
    assert answer.fault == ""
    assert json.loads(answer.body) == ["U 106", "5", "true"]


def test_requests_of_both_protocols_are_played_whichever_version_they_named():
    body = {"inputs": [{"name": "x", "shape": [1], "datatype": "INT64", "data": [5]}]}
    answer = played(sample(INFER, json.dumps(body).encode(), route=INFER_ROUTE))
    assert (answer.fault, json.loads(answer.body)["model_version"]) == ("", "7")
    answer = played(sample(INVOCATIONS, b'{"instances": ["x"]}'))
    assert json.loads(answer.body) == {"predictions": ["x"]}


@pytest.mark.parametrize(
    ("each", "fault"),
    [
        (sample(OWN, target="/gone"), "404"),
        (sample(OWN, target="/fail"), "500, LookupError in fail (test_serving_playing.py:"),
        (
            sample(INVOCATIONS, b'{"instances": ["boom"]}'),
            "500, RuntimeError in predict (app_builders.py:",
        ),
        (
            sample(INVOCATIONS, b'{"instances": ["bad"]}'),
            "400, ValueError in predict (app_builders.py:",
        ),
        (sample(INVOCATIONS, b"not JSON"), "400, "),
    ],
)
def test_what_is_answered_otherwise_is_a_fault_without_a_word_of_it(each, fault, capfd):
    answer = played(each)
    assert answer.fault.startswith(fault)
    assert capfd.readouterr() == ("", "")
