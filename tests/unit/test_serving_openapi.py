"""/openapi.json and /docs: made from the loaded model, and true."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pennant_serving.bundle.bundle import Bundle
from pennant_serving.bundle.mlmodel import MLmodel, read_mlmodel
from pennant_serving.openapi.document import document
from pennant_serving.openapi.examples import rows_of
from pennant_testing.serving.app_builders import Echo, client, model

pytestmark = pytest.mark.unit

MLMODEL = """
flavors: {sklearn: {}}
signature:
  inputs: '[{"type": "double", "name": "a"}, {"type": "string", "name": "<b>", "required": false}]'
  params: '[{"name": "factor", "type": "long", "default": 2, "shape": null}]'
"""


class Example(Echo):
    input_example = ({"user": "<U1>", "age": 30},)

    def routes(self):
        def greet(_request: Request) -> Response:
            return Response()

        return [Route("/greet/{user}", greet)]


@pytest.fixture
def mlmodel(tmp_path) -> MLmodel:
    (tmp_path / "MLmodel").write_text(MLMODEL)
    contents = read_mlmodel(tmp_path)
    assert contents
    return contents


def signed(mlmodel: MLmodel):
    return replace(model(), bundle=Bundle(mlmodel.folder, mlmodel))


def test_the_examples_of_the_document_are_answered_by_the_model():
    http = client(Example())
    described = http.get("/openapi.json").json()
    assert (described["info"]["title"], described["info"]["version"]) == ("iris", "7")
    for path in ("/invocations", "/v2/models/iris/infer"):
        body = described["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        answer = http.post(path, json=body["example"])
        assert answer.status_code == 200, answer.text
        assert "<U1>" in answer.text


def test_a_model_without_an_example_gets_one_from_its_signature(mlmodel):
    rows = rows_of(signed(mlmodel))
    assert rows is not None
    assert list(rows) == [{"a": 0.5, "<b>": "text"}]
    assert rows_of(model()) is None


def test_columns_and_params_are_those_of_the_signature(mlmodel):
    call = document(signed(mlmodel))["paths"]["/invocations"]["post"]
    properties = call["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert properties["dataframe_records"]["items"] == {
        "type": "object",
        "properties": {"a": {"type": "number"}, "<b>": {"type": "string"}},
        "required": ["a"],
    }
    assert properties["params"]["properties"] == {"factor": {"type": "integer", "default": 2}}


def test_the_adapters_own_routes_are_described_with_their_parameters():
    call = client(Example()).get("/openapi.json").json()["paths"]["/greet/{user}"]["get"]
    assert [each["name"] for each in call["parameters"]] == ["user"]


def test_the_page_needs_nothing_from_outside_and_shows_text_as_text():
    answer = client(Example()).get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert "&lt;U1&gt;" in answer.text
    assert "<U1>" not in answer.text
    assert re.findall(r"""(?:src|href)=["']([^"']+)""", answer.text) == ["/openapi.json"]


def test_there_is_nothing_to_describe_before_the_model_is_loaded():
    http = client(loaded=False)
    assert [http.get(path).status_code for path in ("/openapi.json", "/docs")] == [503, 503]
