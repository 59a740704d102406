"""The application: routes, errors, and what is answered before there is a model."""

from __future__ import annotations

import asyncio
import threading

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pennant_serving import admission
from pennant_serving.failures import PodError, Reason
from pennant_serving.http.app import create_app
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.lifecycle import Lifecycle, Phase
from pennant_serving.process.selftest import self_test
from pennant_testing.serving.app_builders import Client, Echo, client, model, settings

pytestmark = pytest.mark.unit

VECTOR = {"inputs": [{"name": "x", "shape": [1], "datatype": "BYTES", "data": ["U1"]}]}


class WithRoutes(Echo):
    def routes(self):
        def greet(request: Request) -> Response:
            in_pool = threading.current_thread().name.startswith("predict")
            return JSONResponse({"user": request.path_params["user"], "in_pool": in_pool})

        return [Route("/greet/{user}", greet)]


def test_the_server_is_live_but_not_ready_while_the_model_loads():
    http = client(loaded=False)
    answers = {path: http.get(path).status_code for path in ("/v2/health/live", "/v2/health/ready")}
    assert answers == {"/v2/health/live": 200, "/v2/health/ready": 503}
    for path in ("/v2/models/iris/ready", "/ping", "/health", "/v2/models/iris", "/greet/U1"):
        assert http.get(path).status_code == 503
    assert http.post("/invocations", json={"instances": [1]}).headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("ends", "answer"),
    [
        (lambda lifecycle: lifecycle.ready(model()), (200, "ready")),
        (lambda lifecycle: lifecycle.drain(), (503, "draining")),
    ],
)
def test_a_probe_that_may_wait_is_answered_when_the_server_is_ready_or_never_will_be(ends, answer):
    lifecycle = Lifecycle()
    app = create_app(settings(), lifecycle, AdapterRoutes())

    async def scenario():
        asked = asyncio.create_task(Client(app).request("GET", "/v2/health/ready?wait=5"))
        await asyncio.sleep(0)
        assert not asked.done()
        ends(lifecycle)
        return await asked

    response = asyncio.run(scenario())
    assert (response.status_code, response.json()["phase"]) == answer


@pytest.mark.parametrize("wait", ["0.001", "0", "-1", "nan", "soon", ""])
def test_a_probe_waits_no_longer_than_it_said(wait):
    answer = client(loaded=False).get(f"/v2/health/ready?wait={wait}")
    assert (answer.status_code, answer.json()["phase"]) == (503, "starting")


def test_a_ready_server_answers_both_protocols():
    http = client()
    assert http.get("/v2/health/ready").json() == {"ready": True, "phase": "ready"}
    assert http.get("/v2/models/iris").json()["versions"] == ["7"]
    assert http.post("/invocations", json={"instances": ["U1"]}).json() == {"predictions": ["U1"]}
    answer = http.post("/v2/models/iris/versions/7/infer", json=VECTOR).json()
    assert (answer["model_version"], answer["outputs"][0]["data"]) == ("7", ["U1"])


@pytest.mark.parametrize("path", ["/v2/models/iris/versions/8", "/v2/models/other/ready"])
def test_another_model_or_version_is_not_found_and_told_which_is_here(path):
    answer = client().get(path)
    assert answer.status_code == 404
    assert "this server has version 7 of iris" in answer.json()["error"]


def test_an_adapters_own_routes_are_served_in_the_models_threads():
    http = client(WithRoutes())
    assert http.get("/greet/U1").json() == {"user": "U1", "in_pool": True}
    assert http.get("/other").status_code == 404


def test_errors_have_the_shape_of_their_protocol():
    http = client()
    assert http.post("/v2/models/iris/infer", content=b"{").json()["error"].startswith("the body")
    answer = http.post("/invocations", content=b"{")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_REQUEST")


def test_a_wrong_method_and_a_wrong_content_type_are_said_so():
    http = client()
    assert http.get("/invocations").status_code == 405
    answer = http.post("/invocations", content="a,b", headers={"content-type": "text/html"})
    assert answer.status_code == 415


def test_a_model_that_raises_is_a_500_with_its_class_and_the_server_goes_on():
    http = client()
    answer = http.post("/invocations", json={"instances": ["boom"]})
    assert (answer.status_code, answer.json()["message"]) == (
        500,
        "the model raised RuntimeError: boom",
    )
    assert http.post("/invocations", json={"instances": ["U1"]}).status_code == 200


def test_a_value_error_of_the_model_is_the_clients():
    answer = client().post("/invocations", json={"instances": ["bad"]})
    assert (answer.status_code, answer.json()["message"]) == (400, "row 0 is bad")


async def slowly():
    """A body that does not say how long it is."""
    yield b"0123456789"
    yield b"0"


def test_a_body_above_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(admission, "BODY_LIMIT_BYTES", 10)
    http = client()
    assert http.post("/invocations", json={"instances": ["U1"]}).status_code == 413
    assert http.post("/invocations", content=slowly()).status_code == 413


def test_requests_are_counted_by_template_and_code():
    http = client(WithRoutes())
    for path in ("/greet/U1", "/greet/U2", "/no/such/path", "/v2/models/iris"):
        http.get(path)
    text = http.get("/metrics").text
    counts = [line for line in text.splitlines() if "_duration_seconds_count" in line]
    labels = '{code="200",model="iris",protocol="own",route="/greet/{user}",version="7"} 2.0'
    assert any(line.endswith(labels) for line in counts)
    assert any('route="unmatched"' in line and 'code="404"' in line for line in counts)
    assert any('route="/v2/models/{model}"' in line for line in counts)
    assert "U1" not in text


def test_a_process_that_drains_never_becomes_ready():
    lifecycle = Lifecycle()
    lifecycle.drain()
    lifecycle.ready(model())
    assert lifecycle.phase is Phase.DRAINING
    assert lifecycle.model.version == "7"


class Example(Echo):
    def __init__(self, example):
        self.input_example = example


@pytest.mark.parametrize(
    ("mode", "example", "ran"),
    [
        ("IfPresent", [{"user": "U1"}], True),
        ("IfPresent", None, False),
        ("Required", ["U1"], True),
        ("Off", ["boom"], False),
    ],
)
def test_the_self_test_runs_when_there_is_an_example(mode, example, ran):
    answered = asyncio.run(self_test(model(Example(example)), mode))
    assert (answered is not None) is ran


@pytest.mark.parametrize(
    ("mode", "example", "says"),
    [
        ("Required", None, "it has none"),
        ("IfPresent", ["boom"], "RuntimeError: boom"),
        ("IfPresent", [object()], "object is not JSON serializable"),
        ("IfPresent", 1, "cannot be read: TypeError"),
    ],
)
def test_a_model_that_cannot_answer_its_example_fails_the_self_test(mode, example, says):
    with pytest.raises(PodError, match=says) as raised:
        asyncio.run(self_test(model(Example(example)), mode))
    assert raised.value.reason is Reason.SELF_TEST_FAILED
