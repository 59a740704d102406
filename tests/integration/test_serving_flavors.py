"""XGBoost, LightGBM and ONNX: the answers of MLflow's pyfunc, natively, by both protocols."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow.models import infer_signature
from mlflow.pyfunc import PyFuncModel, load_model, scoring_server

from pennant_serving.adapters import loading
from pennant_serving.bundle.bundle import Bundle
from pennant_serving.bundle.mlmodel import read_mlmodel
from pennant_serving.http.app import create_app
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_testing.serving import flavor_models
from pennant_testing.serving.app_builders import Client, model, on_volume, settings
from pennant_testing.serving.flavor_models import (
    BODIES,
    MATRIX,
    MISSING,
    MODELS,
    SPLIT,
)
from pennant_testing.serving.serving_process import Serving, serving

pytestmark = [
    pytest.mark.integration,
    # As the adapters do in their process, where no test resets the filters.
    pytest.mark.filterwarnings("ignore:X does not have valid feature names"),
]

CASES = [(name, form) for name, bodies in BODIES.items() for form in bodies]


@dataclass(frozen=True)
class Pair:
    """The same model behind MLflow's scoring and behind ours."""

    mlflow: PyFuncModel
    ours: Client
    adapter: Any
    adapter_name: str

    def theirs(self, body: Any) -> Any:
        schema = self.mlflow.metadata.get_input_schema()
        raw = json.dumps(body).encode()
        answer = scoring_server.invocations(raw, "application/json", self.mlflow, schema)
        return json.loads(answer.response)


def paired(path: Path) -> Pair:
    bundle = Bundle(path, read_mlmodel(path))
    name = loading.choose("auto", bundle).name
    adapter = loading.load(name, bundle).adapter
    lifecycle = Lifecycle()
    lifecycle.ready(replace(model(adapter), bundle=bundle, adapter_name=name))
    client = Client(create_app(settings(), lifecycle, AdapterRoutes()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Pair(load_model(str(path)), client, adapter, name)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    folder = tmp_path_factory.mktemp("models")
    paths = {name: folder / str(place) for place, name in enumerate(MODELS)}
    return {name: paired(flavor_models.save_model(name, path)) for name, path in paths.items()}


def assert_same(ours: Any, theirs: Any) -> None:
    """Equal to rounding of single floats; labels and names equal."""
    assert type(ours) is type(theirs)
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys()
        for name in ours:
            assert_same(ours[name], theirs[name])
    elif isinstance(ours, list):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
    else:
        assert ours == (pytest.approx(theirs, rel=1e-5) if isinstance(ours, float) else theirs)


@pytest.mark.parametrize(("name", "form"), CASES)
def test_invocations_are_answered_as_by_mlflow(pairs, name, form):
    pair, body = pairs[name], BODIES[name][form]
    answer = pair.ours.post("/invocations", json=body)
    assert answer.status_code == 200, answer.text
    assert_same(answer.json(), pair.theirs(body))


@pytest.mark.parametrize("name", [name for name in MODELS if name != "lightgbm in a pipeline"])
def test_the_flavor_chooses_its_adapter(pairs, name):
    assert pairs[name].adapter_name == name.replace(",", "").split()[0]


def test_the_type_of_an_answer_is_the_librarys(pairs):
    expected = {
        "xgboost booster": "FP32",
        "xgboost classifier": "INT64",
        "lightgbm booster": "FP64",
        "lightgbm classifier": "BYTES",
    }
    for name, datatype in expected.items():
        output = infer(pairs[name], table(SPLIT))["outputs"][0]
        assert (output["name"], output["datatype"]) == ("predict", datatype)
        frame = flavor_models.TABLE[:1]
        assert np.asarray(pairs[name].mlflow.predict(frame)).dtype.kind in {
            "FP32": "f", "INT64": "i", "FP64": "f", "BYTES": "OU",
        }[datatype]  # fmt: skip


def table(split: dict[str, Any]) -> list[dict[str, Any]]:
    """V2's inputs, a column each; a null is a NaN, which JSON lacks."""
    columns = zip(split["columns"], zip(*split["data"], strict=True), strict=True)
    return [
        {"name": name, "shape": [len(data)], "datatype": "FP64", "data": data}
        for name, data in columns
    ]


def infer(pair: Pair, inputs: list[dict[str, Any]], **more: Any) -> Any:
    answer = pair.ours.post("/v2/models/iris/infer", json={"inputs": inputs} | more)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("split", [SPLIT, MISSING])
@pytest.mark.parametrize("name", ["xgboost booster", "lightgbm classifier", "xgboost classifier"])
def test_v2_answers_what_invocations_does(pairs, name, split):
    output = infer(pairs[name], table(split))["outputs"][0]
    assert_same(output["data"], pairs[name].theirs({"dataframe_split": split})["predictions"])


@pytest.mark.parametrize("name", ["xgboost classifier of three", "lightgbm classifier of three"])
def test_a_classifier_tells_probabilities_by_v2(pairs, name):
    wanted = [{"name": "predict_proba"}, {"name": "classes"}, {"name": "predict"}]
    proba, classes, labels = infer(pairs[name], table(SPLIT), outputs=wanted)["outputs"]
    assert (proba["shape"], classes["data"]) == ([2, 3], [0, 1, 2])
    assert np.reshape(proba["data"], (2, 3)).argmax(axis=1).tolist() == labels["data"]


def test_onnx_outputs_are_v2_outputs_by_their_names(pairs):
    tensor = {"name": "x", "shape": [2, 3], "datatype": "FP32", "data": MATRIX}
    outputs = infer(pairs["onnx classifier"], [tensor])["outputs"]
    heads = [(each["name"], each["datatype"], each["shape"]) for each in outputs]
    assert heads == [("label", "INT64", [2]), ("probabilities", "FP32", [2, 2])]


def test_a_literal_nan_is_a_missing_value_as_for_mlflow(pairs):
    body = json.dumps({"dataframe_split": MISSING}).replace("null", "NaN")
    answer = pairs["xgboost booster"].ours.post(
        "/invocations", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 200
    theirs = pairs["xgboost booster"].theirs({"dataframe_split": MISSING})
    assert_same(answer.json(), theirs)


@pytest.mark.parametrize("name", ["xgboost booster", "lightgbm booster"])
def test_a_whole_number_cannot_be_missing(pairs, name):
    body = {"dataframe_split": MISSING | {"data": [[1.0, None, 1.0]]}}
    answer = pairs[name].ours.post("/invocations", json=body)
    assert answer.status_code == 400
    assert "column b" in answer.text


@pytest.mark.parametrize("form", ["inputs", "instances"])
def test_columns_by_name_are_not_taken_for_a_tensor_that_has_none(pairs, form):
    for asked in ({"c": [3.0], "b": [2.0], "a": [1.0]}, [{"c": 3.0, "b": 2.0, "a": 1.0}]):
        answer = pairs["onnx"].ours.post("/invocations", json={form: asked})
        assert answer.status_code == 400


def test_params_for_a_graph_are_checked_though_it_takes_none(tmp_path):
    signature = infer_signature(flavor_models.SINGLE, params={"p": 1.5})
    flavor_models.save_onnx(tmp_path / "m", flavor_models.linear(), flavor_models.SINGLE, signature)
    ours = paired(tmp_path / "m").ours
    for p, status in ((2.5, 200), ("invalid", 400)):
        body = {"instances": MATRIX, "params": {"p": p}}
        assert ours.post("/invocations", json=body).status_code == status
        tensor = {"name": "x", "shape": [2, 3], "datatype": "FP32", "data": MATRIX}
        asked = {"inputs": [tensor], "parameters": {"p": p}}
        assert ours.post("/v2/models/iris/infer", json=asked).status_code == status


@pytest.mark.parametrize("name", ["onnx", "onnx of two inputs, tensors"])
def test_onnx_rows_that_do_not_fit_are_the_clients_fault(pairs, name):
    answer = pairs[name].ours.post("/invocations", json={"instances": [[1.0, 2.0]]})
    assert answer.status_code == 400


@pytest.mark.parametrize("name", MODELS)
def test_libraries_join_and_a_graph_that_may_mix_rows_only_when_it_is_asked_to(pairs, name):
    served = {mode: model(pairs[name].adapter, mode=mode).batcher for mode in ("Auto", "Rows")}
    assert served["Auto"].joins != name.startswith("onnx")
    assert served["Rows"].joins == (name != "onnx, one row at a time")


SERVED = {
    "xgboost booster": {"dataframe_split": SPLIT},
    "xgboost classifier": {"dataframe_split": SPLIT},
    "lightgbm booster": {"dataframe_split": SPLIT},
    "lightgbm classifier": {"dataframe_split": SPLIT},
    "lightgbm in a pipeline": {"dataframe_split": SPLIT},
    "onnx": {"instances": MATRIX},
    "onnx classifier": {"instances": MATRIX},
}


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Serving]:
    """The real process, with two workers that were forked after libraries had been loaded."""
    path = flavor_models.save_model(request.param, tmp_path / "bundle")
    on_volume(path)
    limits = {"PENNANT_WORKERS": "2", "OMP_NUM_THREADS": "2", "PENNANT_DRAIN_SECONDS": "2"}
    with serving(tmp_path, path, **limits) as started:
        started.wait_until("/v2/health/ready")
        yield started


@pytest.mark.parametrize(("served", "name"), [(each, each) for each in SERVED], indirect=["served"])
def test_forked_workers_answer_as_mlflow_does(served, pairs, name):
    expected = pairs[name].theirs(SERVED[name])
    for _ in range(8):  # whichever worker takes it
        status, _, body = served.request("/invocations", SERVED[name])
        assert status == 200, body
        assert_same(json.loads(body), expected)
    big = {form: repeated(content) for form, content in SERVED[name].items()}
    assert served.request("/invocations", big)[0] == 200  # enough rows for several threads


def repeated(content: Any) -> Any:
    if isinstance(content, list):
        return content * 1000
    return content | {"data": content["data"] * 1000}
