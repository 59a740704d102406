"""Which adapter loads a bundle, what workers share of it, and other releases of libraries."""

from __future__ import annotations

import asyncio
import json
import pickle
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pennant_serving.adapters import loading, shared
from pennant_serving.adapters.flavors import NotNative
from pennant_serving.adapters.names import BUILT_IN
from pennant_serving.adapters.versions import mismatch
from pennant_serving.bundle.bundle import Bundle
from pennant_serving.bundle.mlmodel import read_mlmodel
from pennant_serving.failures import PodError, Reason
from pennant_serving.fast.lane import FastLane
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.lifecycle.phases import Phases
from pennant_serving.metrics.telemetry import Telemetry
from pennant_serving.process import startup
from pennant_testing.serving.adapters import ECHO
from pennant_testing.serving.app_builders import on_volume, settings, sklearn_bundle
from pennant_testing.serving.odd_estimators import Odd

pytestmark = pytest.mark.unit

FITTED = make_pipeline(StandardScaler(), LinearRegression()).fit(
    [[0, 0], [1, 0], [0, 1]], [0, 1, 2]
)
HERE = version("scikit-learn")


def bundle(folder: Path) -> Bundle:
    return Bundle(folder, read_mlmodel(folder))


def saved(folder: Path, flavors: dict[str, Any], *requirements: str) -> Bundle:
    """A bundle's MLmodel, without its model."""
    (folder / "MLmodel").write_text(json.dumps({"flavors": flavors}))
    (folder / "requirements.txt").write_text("\n".join(requirements))
    return bundle(folder)


@pytest.mark.parametrize(
    ("flavors", "because"),
    [
        ({"sklearn": {}}, "the bundle has the sklearn flavor"),
        ({"sklearn": {"code": "code"}}, "code of its own"),
        ({"sklearn": {}, "python_function": {"code": "code"}}, "code of its own"),
        ({"sklearn": {"serialization_format": "dill"}}, "its serialization format is dill"),
        ({"xgboost": {"model_class": "ours.Booster"}}, "a class of its own"),
        ({"python_function": {}}, "none of the flavors that are served natively"),
    ],
)
def test_auto_tells_why_it_took_an_adapter(tmp_path, flavors, because):
    """All but the first go on to MLflow's way."""
    found = saved(tmp_path, {"python_function": {}} | flavors)
    (tmp_path / "code").mkdir()
    expected = "sklearn" if because.startswith("the bundle has the") else "pyfunc"
    choice = loading.choose("auto", found)
    assert choice.name == expected
    assert because in choice.because


class Refuses:
    """A native adapter that finds out while it loads that it cannot."""

    @classmethod
    def load(cls, bundle: Path) -> Any:
        raise NotNative("it was trained in another way")


class Takes(Refuses):
    input_example = None

    @classmethod
    def load(cls, bundle: Path) -> Any:
        return cls()


@pytest.fixture
def refusing(tmp_path, monkeypatch):
    """A bundle whose native adapter refuses it."""
    monkeypatch.setitem(sys.modules, "refusing", SimpleNamespace(Refuses=Refuses, Takes=Takes))
    monkeypatch.setitem(BUILT_IN, "sklearn", "refusing:Refuses")
    monkeypatch.setitem(BUILT_IN, "pyfunc", "refusing:Takes")
    return saved(tmp_path, {"sklearn": {}, "python_function": {}})


def test_auto_goes_on_to_pyfunc_when_the_adapter_finds_that_it_cannot(refusing):
    found = loading.load("auto", refusing)
    assert str(found) == "adapter pyfunc: it was trained in another way"
    assert isinstance(found.adapter, Takes)


def test_an_adapter_that_was_asked_for_by_name_is_not_exchanged(refusing):
    with pytest.raises(PodError, match=r"in another way: set serving\.adapter to pyfunc"):
        loading.load("sklearn", refusing)


def test_workers_share_what_is_libraries_own_and_load_all_else_themselves(tmp_path):
    own = sklearn_bundle(tmp_path / "own", Odd().fit([[1, 2]]))
    plain = sklearn_bundle(tmp_path / "plain", FITTED)
    assert loading.load("auto", bundle(plain), shared=True).adapter is not None
    assert loading.load("auto", bundle(own), shared=True).adapter is None
    assert loading.load("auto", bundle(own)).adapter is not None


def test_a_strangers_module_is_not_even_imported_before_the_fork():
    data = b"cnowhere_to_be_found\nThing\n."
    with pytest.raises(shared.NotShared, match=r"nowhere_to_be_found\.Thing"):
        shared.loads(data)
    assert shared.loads(pickle.dumps(FITTED)).predict([[1, 0]]) == pytest.approx([1])


@pytest.mark.parametrize(
    ("flavors", "requirements", "says"),
    [
        ({"sklearn": {"sklearn_version": "1.5.2"}}, [], f"1.5.2, and this image has {HERE}"),
        ({"sklearn": {}}, ["mlflow", "scikit-learn==1.5.2"], "scikit-learn 1.5.2"),
        ({"xgboost": {"xgb_version": "1.7.6"}}, [], "xgboost 1.7.6"),
        ({"xgboost": {}}, ["xgboost-cpu==2.0.0"], "xgboost 2.0.0"),
        ({"lightgbm": {"lgb_version": "3.3.5"}}, [], "lightgbm 3.3.5"),
        ({"onnx": {"onnx_version": "1.2"}}, ["onnxruntime==1.10.0"], "onnxruntime 1.10.0"),
        ({"sklearn": {"sklearn_version": f"{HERE}rc1"}}, ["scikit-learn==1.5.2"], None),
        ({"sklearn": {"sklearn_version": ".".join([*HERE.split(".")[:2], "99"])}}, [], None),
        ({"sklearn": {}}, ["scikit-learn>=1.2,<2", "scikit-learn-extra==0.1"], None),
        ({"sklearn": {}}, ["scikit-learn==1.*"], None),
        ({"sklearn": {}}, ["Scikit_Learn[all] == 1.5.* ; extra=='x'"], "scikit-learn 1.5"),
        ({"sklearn": {}}, [], None),
        ({"onnx": {"onnx_version": "1.2"}}, [], None),
        ({"python_function": {}}, ["scikit-learn==1.5.2"], None),
    ],
)  # fmt: skip
def test_another_release_is_one_whose_major_or_minor_number_differs(
    tmp_path, flavors, requirements, says
):
    found = mismatch(saved(tmp_path, flavors, *requirements))
    assert (found is None) if says is None else (says in str(found))


def brought_up(folder: Path, **changes: Any) -> dict[str, Any]:
    """The notes of the ready line of a server that came up with this bundle. Raises PodError."""
    on_volume(folder)
    phases = Phases()
    lane = FastLane(Telemetry("iris", "7", phases))
    asked = settings(model_path=folder, **changes)
    asyncio.run(startup.bring_up(asked, Lifecycle(), AdapterRoutes(), lane))
    return json.loads(phases.line("ready"))["notes"]


def with_example(folder: Path, rows: Any) -> None:
    (folder / "example.json").write_text(json.dumps({"inputs": rows}))
    with (folder / "MLmodel").open("a") as file:
        file.write("\nsaved_input_example_info: {serving_input_path: example.json}\n")


@pytest.mark.parametrize("self_test", ["IfPresent", "Off"])
def test_another_release_that_has_predicted_nothing_is_not_ready(tmp_path, self_test):
    folder = sklearn_bundle(tmp_path / "bundle", FITTED, sklearn_version="1.5.2")
    if self_test == "Off":
        with_example(folder, [[1, 0]])
    with pytest.raises(PodError, match=rf"1\.5\.2, and this image has {HERE}") as raised:
        brought_up(folder, self_test=self_test)
    assert raised.value.reason is Reason.LOAD_FAILED
    assert "serving.image to one that has scikit-learn 1.5" in raised.value.message


def test_another_release_that_answers_its_example_is_ready_and_the_ready_line_warns(tmp_path):
    folder = sklearn_bundle(tmp_path / "bundle", FITTED, sklearn_version="1.5.2")
    with_example(folder, [[1, 0]])
    notes = brought_up(folder)
    assert notes["self-test"].startswith("passed, though saved with scikit-learn 1.5.2")
    assert notes["load"] == "adapter sklearn: the bundle has the sklearn flavor"
    assert notes["differences"] == f"the bundle asks for scikit-learn 1.5.2 (here {HERE})"


def test_a_strict_check_of_the_environment_comes_before_anything_is_loaded(tmp_path):
    folder = sklearn_bundle(tmp_path / "bundle", FITTED, sklearn_version="1.5.2")
    with_example(folder, [[1, 0]])
    with pytest.raises(PodError, match="the bundle asks for scikit-learn 1") as raised:
        brought_up(folder, environment_check="Strict", adapter="nowhere:Adapter")
    assert raised.value.reason is Reason.ENVIRONMENT_MISMATCH


def test_an_example_that_is_not_answered_under_another_release_says_that_first(tmp_path):
    folder = sklearn_bundle(tmp_path / "bundle", FITTED, sklearn_version="1.5.2")
    with_example(folder, [[1, 0, 3]])
    with pytest.raises(PodError, match=r"^the bundle was saved with \S+ 1\.5\.2") as raised:
        brought_up(folder)
    assert raised.value.reason is Reason.SELF_TEST_FAILED


def test_the_release_does_not_matter_to_an_adapter_of_ones_own(tmp_path):
    folder = sklearn_bundle(tmp_path / "bundle", FITTED, sklearn_version="1.5.2")
    notes = brought_up(folder, adapter=ECHO)
    assert notes["load"] == f"adapter {ECHO}: serving.adapter says so"


def test_the_ready_line_tells_who_says_that_requests_are_joined(tmp_path):
    folder = sklearn_bundle(tmp_path / "bundle", Odd("sorted").fit([[1, 2]]))
    with_example(folder, [[1.0, 0.0], [0.0, 2.0]])
    assert f"{Odd.__module__}.Odd is not scikit-learn's own" in brought_up(folder)["batching"]
    batching = brought_up(folder, batch_mode="Rows")["batching"]
    assert "one by one: the answer to a row of the example changes beside other rows" in batching
