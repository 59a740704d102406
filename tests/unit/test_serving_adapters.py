"""Adapters: choosing one, loading with errors that help, and rows that fit or do not."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from pennant_serving.adapters import loading
from pennant_serving.adapters.native_sklearn import SklearnAdapter
from pennant_serving.bundle.bundle import Bundle
from pennant_serving.bundle.mlmodel import read_mlmodel
from pennant_serving.errors import InvalidInput
from pennant_serving.failures import PodError, Reason
from pennant_serving.rows import Rows
from pennant_testing.serving.adapters import ECHO
from pennant_testing.serving.app_builders import SIGNATURE, sklearn_bundle

pytestmark = pytest.mark.unit


def weighted() -> LinearRegression:
    """Predicts a + 10 b."""
    return LinearRegression().fit([[0, 0], [1, 0], [0, 1]], [0, 1, 10])


def bundle(folder) -> Bundle:
    return Bundle(folder, read_mlmodel(folder))


@pytest.fixture
def regression(tmp_path):
    return SklearnAdapter.load(sklearn_bundle(tmp_path, weighted(), inputs=SIGNATURE))


def test_auto_takes_sklearn_natively_and_other_models_by_pyfunc(tmp_path):
    native = sklearn_bundle(tmp_path / "native", weighted())
    (tmp_path / "MLmodel").write_text("flavors: {python_function: {}}")
    assert loading.choose("auto", bundle(native)).name == "sklearn"
    assert loading.choose("auto", bundle(tmp_path)).name == "pyfunc"


def test_a_single_pickle_needs_an_adapter_of_its_own(tmp_path):
    (tmp_path / "newsreco.pkl").write_bytes(b"")
    with pytest.raises(PodError, match=r"set serving\.adapter to the module:Class") as raised:
        loading.choose("auto", bundle(tmp_path))
    assert raised.value.reason is Reason.LOAD_FAILED


def test_named_rows_are_put_in_the_models_order(regression):
    assert regression.predict(Rows([[2, 1]], ("b", "a"))) == pytest.approx([21])


def test_columns_that_the_model_does_not_know_are_left_out(regression):
    assert regression.predict(Rows([[9, 2, 1]], ("c", "b", "a"))) == pytest.approx([21])


def test_positional_rows_are_taken_as_they_come(regression):
    assert regression.predict(Rows([[1, 2]])) == pytest.approx([21])


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (Rows([[1]], ("a",)), "missing columns: b; the model takes a, b"),
        (Rows([[1, 2, 3]]), "3 values, but the model takes 2 columns: a, b"),
        (Rows([["x", 2]]), "not a table of float64"),
    ],
)
def test_rows_that_do_not_fit_say_which_column(regression, rows, says):
    with pytest.raises(InvalidInput, match=says):
        regression.predict(rows)


def test_a_model_without_a_signature_checks_the_width(tmp_path):
    adapter = SklearnAdapter.load(sklearn_bundle(tmp_path, weighted()))
    assert adapter.predict(Rows([[1, 2]])) == pytest.approx([21])
    with pytest.raises(InvalidInput, match=r"shape \(1,\), but the model takes 2 values"):
        adapter.predict(Rows([[1]]))


def test_a_numeric_model_is_served_as_arrays_and_one_that_picks_columns_as_frames(tmp_path):
    picks = make_pipeline(make_column_transformer((OneHotEncoder(), ["a"])), LinearRegression())
    import pandas as pd

    picks.fit(pd.DataFrame({"a": ["x", "y"]}), [1, 2])
    inputs = '[{"type": "string", "name": "a"}]'
    adapter = SklearnAdapter.load(sklearn_bundle(tmp_path, picks, inputs=inputs))
    assert adapter.predict(Rows([["y"], ["x"]], ("a",))) == pytest.approx([2, 1])


def test_a_bundle_with_code_of_its_own_is_left_to_pyfunc(tmp_path):
    folder = sklearn_bundle(tmp_path, weighted(), code="code")
    with pytest.raises(PodError, match=r"set serving\.adapter to pyfunc"):
        loading.load("sklearn", bundle(folder))


def test_a_missing_package_is_named_with_what_the_bundle_requires(tmp_path):
    folder = sklearn_bundle(tmp_path, weighted())
    (folder / "model.pkl").write_bytes(b"cnowhere_to_be_found\nThing\n.")
    (folder / "requirements.txt").write_text("numpy==2\nnowhere-to-be-found==1.2\n")
    with pytest.raises(PodError, match=r"nowhere-to-be-found==1\.2.*serving\.image") as raised:
        loading.load("sklearn", bundle(folder))
    assert raised.value.reason is Reason.LOAD_FAILED


def test_what_does_not_load_and_is_of_another_release_tells_that_first(tmp_path):
    folder = sklearn_bundle(tmp_path, weighted(), sklearn_version="0.19")
    (folder / "model.pkl").write_bytes(b"\x80")
    with pytest.raises(PodError, match=r"^the bundle was saved with scikit-learn 0\.19, and this"):
        loading.load("sklearn", bundle(folder))


def test_a_bundle_that_names_no_version_is_not_said_to_be_trained_with_none(tmp_path):
    folder = sklearn_bundle(tmp_path, weighted())
    (folder / "model.pkl").write_bytes(b"\x80")
    with pytest.raises(PodError, match="its MLmodel does not say what version") as raised:
        loading.load("sklearn", bundle(folder))
    assert "None" not in raised.value.message


def test_any_importable_class_is_an_adapter(tmp_path):
    adapter = loading.load(ECHO, bundle(tmp_path)).adapter
    assert adapter.predict(Rows([[1]], ("a",))) == [{"a": 1}]


@pytest.mark.parametrize("name", ["nowhere_at_all:Class", ECHO.replace("Echo", "Nobody")])
def test_an_adapter_that_cannot_be_imported_is_a_failed_load(tmp_path, name):
    with pytest.raises(PodError) as raised:
        loading.load(name, bundle(tmp_path))
    assert raised.value.reason is Reason.LOAD_FAILED


def test_serving_a_sklearn_model_imports_no_mlflow(tmp_path):
    folder = sklearn_bundle(tmp_path, weighted(), inputs=SIGNATURE)
    program = (
        "import sys; from pathlib import Path;"
        "from pennant_serving.adapters.native_sklearn import SklearnAdapter;"
        "from pennant_serving.rows import Rows;"
        f"SklearnAdapter.load(Path({str(folder)!r})).predict(Rows([[1, 2]]));"
        "sys.exit(3 if 'mlflow' in sys.modules else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    # Not by what it prints: libraries may have something to say about the machine.
    assert done.returncode == 0, done.stderr


def test_values_that_are_not_numbers_stay_objects(tmp_path):
    encoder = make_pipeline(OneHotEncoder(), LinearRegression())
    encoder.fit(np.array([["x"], ["y"]], dtype=object), [1, 2])
    adapter = SklearnAdapter.load(sklearn_bundle(tmp_path, encoder))
    assert adapter.predict(Rows([["y"]])) == pytest.approx([2])
