"""scikit-learn models whose columns have names: natively what MLflow's pyfunc answers, or a 400."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from mlflow.models import infer_signature
from mlflow.sklearn import save_model
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from sklearn.utils import check_array

from pennant_serving.adapters import loading
from pennant_serving.adapters.native_sklearn import SklearnAdapter
from pennant_serving.bundle.bundle import Bundle
from pennant_serving.bundle.mlmodel import read_mlmodel
from pennant_serving.failures import PodError
from pennant_serving.fast.lane import FastLane
from pennant_serving.http.app import create_app
from pennant_serving.http.endpoints.own import AdapterRoutes
from pennant_serving.lifecycle.lifecycle import Lifecycle
from pennant_serving.metrics.telemetry import Telemetry
from pennant_serving.rows import Rows
from pennant_testing.serving.app_builders import Client, model, settings

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from mlflow.pyfunc import load_model

RANDOM = np.random.default_rng(2)
TABLE = pd.DataFrame({"a": RANDOM.normal(size=60), "b": RANDOM.integers(0, 4, 60)})
LABELS = (TABLE.a + TABLE.b > 1).astype(int)
NEEDS = {"pip_requirements": ["scikit-learn"], "serialization_format": "cloudpickle"}
ROWS = [[0.5, 2], [-1.25, 0], [2.0, 3]]


def by_name() -> Any:
    """Takes its columns by their names, as only a frame has them."""
    return ColumnTransformer([("b", OneHotEncoder(), ["b"]), ("a", StandardScaler(), ["a"])])


def classifier() -> Any:
    return make_pipeline(by_name(), LogisticRegression())


def regressor() -> Any:
    return make_pipeline(by_name(), LinearRegression())


WRAPPERS: dict[str, Any] = {
    "plain": classifier(),
    "grid search": GridSearchCV(classifier(), {"logisticregression__C": [1.0, 2.0]}, cv=2),
    "random search": RandomizedSearchCV(
        classifier(), {"logisticregression__C": [1.0, 2.0]}, n_iter=1, cv=2
    ),
    "nested": make_pipeline(make_pipeline(make_pipeline(by_name())), LogisticRegression()),
    "united": make_pipeline(FeatureUnion([("own", by_name())]), LogisticRegression()),
    "voting": VotingClassifier([("a", classifier())], voting="soft"),
    "voting, numbers": VotingRegressor([("a", regressor())]),
    "stacking": StackingClassifier([("a", classifier())], cv=2),
    "stacking, numbers": StackingRegressor([("a", regressor())], cv=2),
    "calibrated": CalibratedClassifierCV(classifier(), cv=2),
    "target": TransformedTargetRegressor(regressor(), transformer=StandardScaler()),
    "threshold": FixedThresholdClassifier(classifier(), threshold=0.4),
    "tuned threshold": TunedThresholdClassifierCV(classifier(), cv=2),
    "outputs": MultiOutputRegressor(regressor()),
    "frozen": FrozenEstimator(classifier().fit(TABLE, LABELS)),
    "function": make_pipeline(
        FunctionTransformer(lambda table: table[["b"]]), LogisticRegression()
    ),
    "pandas between": make_pipeline(
        StandardScaler().set_output(transform="pandas"), LogisticRegression()
    ),
    "codes of mixed types": make_pipeline(OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1), LinearRegression()),
    "numbers only": make_pipeline(StandardScaler(), LinearRegression()),
}  # fmt: skip


def saved(path: Path, estimator: Any, table: Any, signature: Any = None) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save_model(estimator, path, signature=signature or infer_signature(table), **NEEDS)
    return path


def native(path: Path) -> SklearnAdapter:
    bundle = Bundle(path, read_mlmodel(path))
    assert loading.choose("auto", bundle).name == "sklearn"
    adapter = loading.load("sklearn", bundle).adapter
    assert isinstance(adapter, SklearnAdapter)
    return adapter


def client(path: Path) -> Client:
    lifecycle = Lifecycle()
    lifecycle.ready(model(native(path)))
    return Client(create_app(settings(), lifecycle, AdapterRoutes()))


def bodies(rows: list[list[Any]], names: tuple[str, ...]) -> dict[str, tuple[str, Any]]:
    columns = list(map(list, zip(*rows, strict=True)))
    tensors = [
        {"name": name, "shape": [len(rows)], "datatype": "FP64", "data": column}
        for name, column in zip(names, columns, strict=True)
    ]
    matrix = {"name": "x", "shape": [len(rows), len(names)], "datatype": "FP64"}
    return {
        "split": ("/invocations", {"dataframe_split": {"columns": names, "data": rows}}),
        "by place": ("/invocations", {"instances": rows}),
        "V2": ("/v2/models/iris/infer", {"inputs": tensors}),
        "V2 by place": (
            "/v2/models/iris/infer",
            {"inputs": [matrix | {"data": [each for row in rows for each in row]}]},
        ),
    }


def answers(response: Any) -> Any:
    content = response.json()
    return content["predictions"] if "predictions" in content else content["outputs"][0]["data"]


@pytest.mark.parametrize("estimator", WRAPPERS.values(), ids=WRAPPERS)
def test_an_estimator_gets_what_mlflow_gives_it_however_deep_the_names_are_wanted(
    tmp_path, estimator
):
    labels = np.column_stack([LABELS, TABLE.a]) if "MultiOutput" in repr(estimator) else LABELS
    path = saved(tmp_path / "model", estimator.fit(TABLE, labels), TABLE)
    table = pd.DataFrame(ROWS, columns=["a", "b"]).astype({"b": "int64"})
    expected = np.ravel(load_model(str(path)).predict(table)).tolist()
    http = client(path)
    for form, (url, body) in bodies(ROWS, ("a", "b")).items():
        response = http.post(url, json=body)
        assert response.status_code == 200, (form, response.text)
        assert np.ravel(answers(response)).tolist() == pytest.approx(expected), form


def test_only_models_without_names_inside_are_given_arrays(tmp_path):
    found = {}
    for place, name in enumerate(("numbers only", "nested", "function", "pandas between")):
        estimator = WRAPPERS[name].fit(TABLE, LABELS)
        found[name] = native(saved(tmp_path / str(place), estimator, TABLE)).array_spec is not None
    assert found == {
        "numbers only": True, "nested": False, "function": False, "pandas between": False,
    }  # fmt: skip


TRAINED = pd.DataFrame({"b": [0.0, 1.0, 0.0, 2.0], "a": [0.0, 0.0, 1.0, 3.0]})


@pytest.mark.parametrize(
    "estimator",
    [LinearRegression(), make_pipeline(StandardScaler(), LinearRegression()),
     GridSearchCV(LinearRegression(), {"fit_intercept": [True]}, cv=2)],
    ids=["alone", "in a pipeline", "in a search"],
)  # fmt: skip
@pytest.mark.parametrize("signed", [["a", "b"], ["x", "y"]], ids=" ".join)
def test_columns_that_are_not_those_of_the_training_are_refused_and_never_confused(
    tmp_path, estimator, signed
):
    """y = 10b + a, trained on b, a."""
    estimator.fit(TRAINED, 10 * TRAINED.b + TRAINED.a)
    table = pd.DataFrame([[1.0, 2.0]], columns=signed)
    path = saved(tmp_path / "model", estimator, table)
    with pytest.raises(Exception, match="feature names"):
        load_model(str(path)).predict(table)
    assert native(path).array_spec is None  # closes the fast lane
    for url, body in bodies([[1.0, 2.0]], tuple(signed)).values():
        response = client(path).post(url, json=body)
        assert response.status_code == 400, response.text
        assert "feature names" in response.text


def test_the_fast_lane_opens_for_models_of_arrays_only(tmp_path):
    def routes(estimator: Any, place: str) -> int:
        lane = FastLane(Telemetry("iris", "7"))
        path = saved(tmp_path / place, estimator.fit(TRAINED, TRAINED.a), TRAINED)
        lane.open(model(native(path)))
        return len(lane.routes)

    assert routes(LinearRegression(), "numbers") == 3
    assert routes(make_pipeline(FunctionTransformer(), LinearRegression()), "function") == 0


TYPES = {
    "long": "int64", "integer": "int32", "float": "float32", "double": "float64",
    "boolean": "bool",
}  # fmt: skip


@pytest.mark.parametrize("one", TYPES)
@pytest.mark.parametrize("other", TYPES)
def test_an_array_is_of_the_type_that_scikit_learn_makes_of_mlflows_frame(tmp_path, one, other):
    table = pd.DataFrame({"a": [0, 1, 1], "b": [1, 0, 1]})
    table = table.astype({"a": TYPES[one], "b": TYPES[other]})
    adapter = native(saved(tmp_path / "model", LinearRegression().fit(table, [0, 1, 2]), table))
    given = [list(row) for row in zip(*(table[name].tolist() for name in "ab"), strict=True)]
    assert adapter.to_array(Rows(given, ("a", "b"))).dtype == check_array(table).dtype


def test_a_float_is_as_exact_beside_a_double_as_in_mlflows_frame(tmp_path):
    table = pd.DataFrame({"a": [0.1, 0.2], "b": [0.1, 0.2]}).astype({"a": "float32"})
    path = saved(tmp_path / "model", LinearRegression().fit(table, [0, 1]), table)
    seen = native(path).ask(lambda array: array, Rows([[0.1, 0.1]], ("a", "b")))
    assert seen.tolist() == check_array(table)[:1].tolist()


@pytest.mark.parametrize("names", [["a", "b c"], ["b c", "a"]], ids=", ".join)
def test_lightgbm_which_knows_no_names_is_refused_with_its_columns_in_another_order(
    tmp_path, names
):
    table = pd.DataFrame({"a": TABLE.a, "b c": TABLE.b})
    booster = LGBMClassifier(n_estimators=2, verbose=-1).fit(table, LABELS)
    path = saved(tmp_path / "model", booster, table[names])
    if names == list(table):
        assert native(path).joins
    else:
        with pytest.raises(PodError, match="trained with a, b_c: it takes them in that order only"):
            native(path)


LARGE = 2**53


@pytest.mark.parametrize("other", ["int64", "float64"], ids=["all whole", "beside a float"])
def test_an_encoder_tells_large_whole_numbers_apart_in_every_form(tmp_path, other):
    """y = 1 for 2**53, 2 for the next whole number, which no float is."""
    table = pd.DataFrame({"a": [LARGE, LARGE + 1, LARGE], "b": [0, 1, 1]}).astype({"b": other})
    encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    path = saved(
        tmp_path / "model", make_pipeline(encoder, Ridge(1e-9)).fit(table, [1, 2, 1]), table
    )
    http = client(path)
    for form, (url, body) in bodies([[LARGE + 1, 1], [LARGE, 1]], ("a", "b")).items():
        for tensor in body.get("inputs", ()):
            tensor["datatype"] = "INT64"
        response = http.post(url, json=body)
        assert response.status_code == 200, (form, response.text)
        assert np.ravel(answers(response)).tolist() == pytest.approx([2, 1], abs=1e-3), form
