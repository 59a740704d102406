"""What is known of an estimator, and that nothing of somebody's own is taken for scikit-learn's."""

from __future__ import annotations

import functools
import pickle
import sys
from typing import Any

import cloudpickle
import lightgbm
import numpy as np
import pytest
import xgboost
from scipy import special
from scipy.stats import uniform
from sklearn import preprocessing
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import FeatureAgglomeration
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import NMF
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsRegressor
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, LabelBinarizer, StandardScaler
from sklearn.svm import SVC

from pennant_serving.adapters.known import survey
from pennant_testing.serving import odd_estimators
from pennant_testing.serving.odd_estimators import Odd, OddStep, scaled

pytestmark = pytest.mark.unit

X = np.abs(np.random.default_rng(3).normal(size=(40, 3)))
Y = (X[:, 0] > X[:, 1]).astype(int)
GRID = {"logisticregression__C": [1.0, 2.0]}


def why_not(estimator: Any, method: str = "predict") -> str:
    return survey(estimator).why_not_rows(method)


def fitted(estimator: Any) -> Any:
    return pickle.loads(pickle.dumps(estimator.fit(X, Y)))


def patched(estimator: Any) -> Any:
    """With a method of an object of one's own, as people do to change an answer."""
    estimator.predict = functools.partial(estimator.predict_proba)
    return estimator


class Scaling:
    """A class that says it is Python's own, and that a step asks as a function."""

    def __new__(cls, x: Any) -> Any:
        return x / x.max()


Scaling.__module__ = "builtins"


class Renamed(np.float64):
    """A number that says it is NumPy's own."""


Renamed.__module__ = "numpy"


class Index(Scaling):
    """What says it is pandas' own."""


Index.__new__ = object.__new__
Index.__module__ = "pandas"


def with_inside(estimator: Any, path: str, value: Any) -> Any:
    """With something of one's own in the place of what it has learned."""
    holder = estimator.fit(X[:, 0] if isinstance(estimator, IsotonicRegression) else X, Y)
    *way, last = path.split(".")
    for name in way:
        holder = getattr(holder, name)
    setattr(holder, last, value)
    return estimator


def boosted() -> Any:
    return lightgbm.LGBMClassifier(n_estimators=2, verbose=-1)


KNOWN = {
    "a pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    "a forest": RandomForestClassifier(3),
    "a search": GridSearchCV(make_pipeline(StandardScaler(), LogisticRegression()), GRID, cv=2,
                             scoring=make_scorer(f1_score)),
    "a search by chance": RandomizedSearchCV(LogisticRegression(), {"C": uniform(1, 2)}, n_iter=2,
                                             cv=2),
    "stacked": StackingClassifier([("a", LogisticRegression()), ("b", SVC())], cv=2),
    "voting": VotingClassifier([("a", LogisticRegression())], voting="soft"),
    "calibrated": CalibratedClassifierCV(LogisticRegression(), method="isotonic", cv=2),
    "boosted": HistGradientBoostingClassifier(max_iter=2),
    "boosted with categories": HistGradientBoostingClassifier(max_iter=2, categorical_features=[1]),
    "of columns": ColumnTransformer([("a", StandardScaler(), [0])], remainder="passthrough"),
    "united": FeatureUnion([("a", StandardScaler()), ("b", "passthrough")]),
    "selected": make_pipeline(SelectKBest(f_classif, k=2), LogisticRegression()),
    "ufuncs": make_pipeline(FunctionTransformer(np.log1p, np.expm1),
                            FunctionTransformer(special.expit), LogisticRegression()),
    "a target's ufunc": TransformedTargetRegressor(LinearRegression(), func=np.log1p,
                                                   inverse_func=np.expm1),
    "agglomerated": make_pipeline(FeatureAgglomeration(2), LogisticRegression()),
    "neighbours": KNeighborsClassifier(),
    "LightGBM": make_pipeline(StandardScaler(), lightgbm.LGBMClassifier(n_estimators=2,
                                                                        verbose=-1)),
    "XGBoost": make_pipeline(StandardScaler(), xgboost.XGBClassifier(n_estimators=2)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", KNOWN.values(), ids=KNOWN)
def test_scikit_learns_own_are_known_however_deep_they_lie(estimator):
    method = "predict" if hasattr(estimator, "predict") else "transform"
    assert why_not(fitted(estimator), method) == ""


def test_an_isotonic_regression_is_known_with_the_function_that_it_makes_when_it_is_loaded():
    assert why_not(pickle.loads(pickle.dumps(IsotonicRegression().fit(X[:, 0], X[:, 1])))) == ""


ODD = odd_estimators.__name__
STRANGERS = {
    "a class of one's own": (Odd(), f"{ODD}.Odd"),
    "a step of one's own": (make_pipeline(OddStep(), LinearRegression()), f"{ODD}.OddStep"),
    "deep inside": (
        FeatureUnion([("u", make_pipeline(StandardScaler(), FeatureUnion([("o", OddStep())])))]),
        f"{ODD}.OddStep",
    ),
    "a function": (FunctionTransformer(scaled), f"{ODD}.scaled"),
    "a lambda": (FunctionTransformer(lambda x: x), "<lambda>"),
    "a partial": (FunctionTransformer(functools.partial(scaled)), f"{ODD}.scaled"),
    "NumPy's function of columns": (FunctionTransformer(np.sort), "sort"),
    "scikit-learn's function of columns": (FunctionTransformer(preprocessing.scale), "scale"),
    "softmax over all": (FunctionTransformer(special.softmax), "softmax"),
    "a ufunc of pairs": (FunctionTransformer(np.add), "add"),
    "a ufunc with a mask": (FunctionTransformer(np.log1p, kw_args={"where": Y}), "log1p"),
    "a ufunc of one's own": (FunctionTransformer(np.frompyfunc(abs, 1, 1)), "abs"),
    "vectorize": (FunctionTransformer(np.vectorize(abs)), "abs"),
    "a target's function": (
        TransformedTargetRegressor(LinearRegression(), inverse_func=scaled), f"{ODD}.scaled",
    ),
    "a kernel": (SVC(kernel=rbf_kernel), "rbf_kernel"),
    "weights": (KNeighborsClassifier(weights=scaled), f"{ODD}.scaled"),
    "used for a score and for a step": (
        FeatureUnion([("a", SelectKBest(f_classif)), ("b", FunctionTransformer(f_classif))]),
        "f_classif",
    ),
    "in an array": (VotingClassifier(np.array([("a", Odd())], dtype=object)), f"{ODD}.Odd"),
    "in a structured array": (
        with_inside(LinearRegression(), "more", np.array([(1, Odd())], "i8,O")), f"{ODD}.Odd",
    ),
    "a class that calls itself Python's": (FunctionTransformer(Scaling), "builtins.Scaling"),
    "numbers that call themselves NumPy's": (
        with_inside(LinearRegression(), "intercept_", Renamed()), "numpy.Renamed",
    ),
    "an index that calls itself pandas'": (
        with_inside(LinearRegression(), "intercept_", Index()), "pandas.Index",
    ),
    "a booster's model": (with_inside(boosted(), "_Booster", Odd()), f"{ODD}.Odd"),
    "a booster's objective": (with_inside(boosted(), "objective", scaled), f"{ODD}.scaled"),
    "an interpolation's function": (
        with_inside(IsotonicRegression(), "f_._call", scaled), f"{ODD}.scaled",
    ),
    "a method that was replaced": (patched(LogisticRegression()), "LogisticRegression.predict"),
}  # fmt: skip


@pytest.mark.parametrize(("estimator", "named"), STRANGERS.values(), ids=STRANGERS)
def test_anything_else_makes_the_model_unknown_and_is_named(estimator, named):
    assert named in why_not(estimator)


class LogisticRegressionOfOurs(LogisticRegression):
    """Says that it is scikit-learn's."""


LogisticRegressionOfOurs.__module__ = "sklearn.linear_model._logistic"


def test_a_class_is_not_known_by_what_it_says_of_itself():
    assert "LogisticRegressionOfOurs" in why_not(LogisticRegressionOfOurs())


def test_a_class_of_an_expression_is_not_known_whatever_its_module_is():
    for module in ("builtins", None, 7, "sklearn", "sklearn.nothing"):
        model = type("Model", (), {"predict": lambda self, rows: rows, "__module__": module})()
        assert "Model is not scikit-learn's own" in why_not(model)


def test_a_class_that_cloudpickle_carries_is_not_known_by_its_name():
    copy = type("LogisticRegression", (LogisticRegression,), {"__module__": "sklearn.linear_model"})
    carried = cloudpickle.loads(cloudpickle.dumps(copy()))
    assert "LogisticRegression is not scikit-learn's own" in why_not(carried)


MIXING = {
    "factors": (NMF(2), "transform"),
    "chance": (DummyClassifier(strategy="uniform"), "predict"),
    "chance in a vote": (
        VotingClassifier([("a", DummyClassifier(strategy="stratified"))]), "predict",
    ),
    "chance of one method": (make_pipeline(StandardScaler(), BernoulliRBM()), "score_samples"),
    "estimators before rows": (
        VotingClassifier([("a", LogisticRegression())], voting="soft", flatten_transform=False),
        "transform",
    ),
    "the type of the answer": (RadiusNeighborsRegressor().fit(X, Y), "predict"),
    "targets": (LabelBinarizer(), "transform"),
    "a score": (LogisticRegression(), "score"),
    "neighbours": (KNeighborsClassifier(), "kneighbors"),
}  # fmt: skip


@pytest.mark.parametrize(("estimator", "method"), MIXING.values(), ids=MIXING)
def test_scikit_learns_own_that_mix_rows_or_draw_are_excepted(estimator, method):
    assert why_not(estimator, method) != ""


def test_the_same_estimators_are_known_by_their_other_methods():
    assert why_not(DummyClassifier(strategy="prior")) == ""
    assert why_not(BernoulliRBM(), "transform") == ""
    assert why_not(RadiusNeighborsRegressor().fit(X, Y / 2)) == ""


def test_depth_and_circles_end():
    chain: Any = "passthrough"
    for _ in range(2 * sys.getrecursionlimit()):
        chain = [chain]
    model = LogisticRegression()
    model.classes_ = [chain]
    model.classes_.append(model.classes_)
    model.itself_ = model
    assert why_not(model) == ""
