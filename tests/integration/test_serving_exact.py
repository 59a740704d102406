"""A value is the same by the fast lane and by the general way, of every type and in every form."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.feature_selection import VarianceThreshold

from pennant_testing.serving.app_builders import on_volume, sklearn_bundle
from pennant_testing.serving.serving_process import JSON, Serving, serving

pytestmark = pytest.mark.integration

TENSORS = ("bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
           "float16", "float32", "float64")  # fmt: skip
COLUMNS = (
    *(("boolean",) * 2, ("integer",) * 2, ("long",) * 2, ("float",) * 2, ("double",) * 2),
    *(("long", "double"), ("integer", "long"), ("float", "double"), ("boolean", "float")),
)
MODELS = {**{name: name for name in TENSORS}, **{" and ".join(each): each for each in COLUMNS}}
LARGE = 2**53 + 1
VALUES = (
    *("1", "0", "-1", "300", str(LARGE), str(2**63 - 1), str(2**63), str(2**64 - 1), str(-(2**63))),
    *("1.5", "1.0", "-0.0", "0.1", "1e300", "null", "NaN", "Infinity", "true", '"x"', '"1"', "[1]"),
)
"""As they are written in JSON."""
DATATYPES = ("INT64", "UINT64", "INT8", "FP64", "FP32", "FP16", "BOOL")


def forms(value: str) -> dict[str, tuple[str, str]]:
    """Path and body of requests for a row of this value and 1."""
    row = f"[{value}, 1]"
    split = f'{{"columns": ["a", "b"], "data": [{row}]}}'
    contents = {
        "dataframe_split": split,
        "dataframe_records": f'[{{"a": {value}, "b": 1}}]',
        "instances": f"[{row}]",
        "inputs": f"[{row}]",
    }
    by_name = {"inputs by name": ("inputs", f'{{"a": [{value}], "b": [1]}}')}
    named = {form: (form, content) for form, content in contents.items()} | by_name
    requests = {
        form: ("/invocations", f'{{"{key}": {content}}}') for form, (key, content) in named.items()
    }
    for each in DATATYPES:
        tensor = f'{{"name": "x", "shape": [1, 2], "datatype": "{each}", "data": {row}}}'
        requests[each] = ("/v2/models/iris/infer", f'{{"inputs": [{tensor}]}}')
    return requests


def signature(model: Any) -> str:
    if isinstance(model, str):
        return json.dumps([{"type": "tensor", "tensor-spec": {"dtype": model, "shape": [-1, 2]}}])
    return json.dumps([{"name": n, "type": t} for n, t in zip("ab", model, strict=True)])


@pytest.fixture(scope="module", params=MODELS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def pod(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server whose model answers with what it was given."""
    folder = tmp_path_factory.mktemp("pod")
    same = VarianceThreshold().fit(np.array([[0, 1], [1, 0]]))
    path = sklearn_bundle(folder / "bundle", same, inputs=signature(MODELS[name]))
    text = (path / "MLmodel").read_text()
    python = "flavors:\n  python_function: {predict_fn: transform}\n"
    (path / "MLmodel").write_text(text.replace("flavors:\n", python))
    on_volume(path)
    with serving(folder, path, PENNANT_MAX_CONNECTION_AGE="600") as started:
        started.wait_until("/v2/health/ready")
        yield started


class Asking:
    """One connection; each request twice, the second time as the fast lane leaves it."""

    def __init__(self, pod: Serving) -> None:
        self._connection: http.client.HTTPConnection = pod.connect()

    def both(self, path: str, body: str) -> list[tuple[int, bytes]]:
        return [self._one(path, body, JSON | more) for more in ({}, {"Accept": "text/odd, */*"})]

    def _one(self, path: str, body: str, headers: dict[str, str]) -> tuple[int, bytes]:
        self._connection.request("POST", path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()


def test_every_value_in_every_form_gets_one_answer_whichever_way_it_goes(pod):
    asking, answered = Asking(pod), 0
    for value in VALUES:
        for form, (path, body) in forms(value).items():
            plain, odd = asking.both(path, body)
            assert plain == odd, (value, form, plain, odd)
            assert plain[0] in (200, 400), (value, form, plain)
            answered += plain[0] == 200
    assert answered > 20
    assert "Traceback" not in pod.log.read_text()


@pytest.mark.parametrize("name", ["int64", "long and long"], indirect=True, scope="module")
@pytest.mark.parametrize("form", ["instances", "inputs", "INT64"])
def test_integers_stay_integers(pod, form):
    path, body = forms(str(LARGE))[form]
    for status, answer in Asking(pod).both(path, body):
        content = json.loads(answer)
        found = content.get("predictions") or [content["outputs"][0]["data"]]
        assert (status, found) == (200, [[LARGE, 1]])
