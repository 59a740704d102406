"""Every estimator of scikit-learn that is taken for one that answers row by row does so.

A release of scikit-learn that has another one that does not fails here.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import DictionaryLearning, KernelPCA, SparseCoder
from sklearn.ensemble import RandomForestRegressor, StackingClassifier, VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import (
    KernelDensity,
    KNeighborsClassifier,
    LocalOutlierFactor,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC
from sklearn.utils import all_estimators
from sklearn.utils._test_common.instance_generator import _construct_instances

from pennant_serving.adapters.known import survey
from pennant_serving.adapters.mixing import METHODS, MIXING

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

RANDOM = np.random.default_rng(5)
X = np.abs(RANDOM.normal(size=(60, 4))) + 0.1
Y = (X.sum(axis=1) > X.sum(axis=1).mean()).astype(int)
WHOLE = RANDOM.integers(0, 3, size=(60, 4)).astype("float64")
GAPS = np.where(RANDOM.random(X.shape) < 0.4, np.nan, X)
GAPS[0], GAPS[1] = np.nan, X[1]
WORDS = ["a", "b", "c", "d", "e", "f", "g", "h", "the"]
TEXTS = np.array([" ".join(RANDOM.choice(WORDS, 5)) for _ in range(60)])
SQUARE = X @ X.T
EASY = 9
"""The rows that are asked; the others are their neighbours."""


def dense(answer: Any) -> Any:
    return answer.toarray() if sparse.issparse(answer) else answer


def neighbours(x: Any) -> Iterator[Any]:
    """Rows that the model knows, and where they are numbers others, far away."""
    yield x[EASY:]
    if x is X:
        yield RANDOM.uniform(0.01, 50, size=(7, 4))
        yield np.full((1, 4), 1e6)


def mixes(ask: Any, x: Any) -> bool:
    """Whether any row's answer differs from the one that it gets alone."""
    rows = x[:EASY]
    alone = [dense(ask(rows[place : place + 1])) for place in range(EASY)]
    order = RANDOM.permutation(EASY)
    together, turned = dense(ask(rows)), dense(ask(rows[order]))
    pairs = [
        *zip(alone, together, strict=True),
        *zip([alone[o] for o in order], turned, strict=True),
    ]
    for others in neighbours(x):
        try:
            found = dense(ask(np.concatenate([others, rows])))
        except ValueError:  # out of what it was trained for
            continue
        pairs += zip(alone, found[len(others) :], strict=True)
    assert all(len(one) == 1 for one in alone)
    ones, others = (
        np.array(each) for each in zip(*((one[0], other) for one, other in pairs), strict=True)
    )
    if ones.dtype.kind != "f":
        return not np.array_equal(ones, others)
    # An answer near 0 may be the rest of large ones that cancel out.
    largest = np.abs(ones[np.isfinite(ones)]).max(initial=1)
    return not np.allclose(ones, others, rtol=1e-6, atol=1e-6 * largest, equal_nan=True)


def check(estimator: Any, x: Any, y: Any = Y) -> int:
    """Every method that is taken to answer row by row; how many there are."""
    model = pickle.loads(pickle.dumps(estimator.fit(x, y)))
    asked = 0
    for method in sorted(METHODS):
        if not hasattr(model, method) or survey(model).why_not_rows(method):
            continue
        answer = dense(getattr(model, method)(x[:EASY]))
        if isinstance(answer, np.ndarray):  # nothing else is told apart by rows
            asked += 1
            assert not mixes(getattr(model, method), x), method
    return asked


# What is fitted to other tables than the usual one, or stands for no answers to rows.
SPECIAL = frozenset(
    {
        *("CategoricalNB", "CountVectorizer", "DictVectorizer", "FeatureHasher", "GammaRegressor"),
        *("FrozenEstimator", "HashingVectorizer", "IsotonicRegression", "KernelCenterer"),
        *("LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer", "OrdinalEncoder"),
        *("PatchExtractor", "RadiusNeighborsClassifier", "SparseCoder", "TfidfVectorizer"),
    }
)
NEVER = frozenset(
    {
        *("IterativeImputer", "MiniBatchNMF", "MiniBatchSparsePCA", "NMF", "PatchExtractor"),
        "SparsePCA",
    }
)
USUAL = [(name, kind) for name, kind in all_estimators() if name not in SPECIAL | NEVER]


@pytest.mark.parametrize(("name", "kind"), USUAL, ids=[name for name, _ in USUAL])
def test_an_estimator_that_is_known_answers_each_row_by_itself(name, kind):
    for estimator in _construct_instances(kind):
        if "precomputed" in estimator.get_params().values():
            continue
        several = name.startswith(("MultiOutput", "MultiTask")) or name.endswith("Chain")
        y = np.column_stack([Y, 1 - Y]) if several else Y
        assert survey(estimator).stranger == ""
        check(estimator, X, y)


VARIANTS: dict[str, tuple[Any, Any]] = {
    "imputed by neighbours": (KNNImputer(n_neighbors=2), GAPS),
    "imputed": (SimpleImputer(strategy="median", add_indicator=True), GAPS),
    "missing": (MissingIndicator(features="all"), GAPS),
    "one hot": (OneHotEncoder(sparse_output=False, handle_unknown="ignore"), WHOLE),
    "ordinal": (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), WHOLE),
    "by target": (TargetEncoder(), WHOLE),
    "bins": (KBinsDiscretizer(3, encode="ordinal", quantile_method="averaged_inverted_cdf"), X),
    "quantiles": (QuantileTransformer(n_quantiles=9, output_distribution="normal"), X),
    "powers": (PowerTransformer(method="box-cox"), X),
    "splines": (SplineTransformer(extrapolation="linear"), X),
    "counts": (make_pipeline(CountVectorizer(), LogisticRegression()), TEXTS),
    "words": (make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression()), TEXTS),
    "near by distance": (KNeighborsClassifier(3, weights="distance"), X),
    "within a radius": (RadiusNeighborsClassifier(2.0, outlier_label="most_frequent"), X),
    "within a radius, a number": (
        TransformedTargetRegressor(
            RadiusNeighborsRegressor(2.0, weights="distance"), transformer=StandardScaler()
        ),
        X,
    ),
    "dense": (KernelDensity(rtol=1e-3), X),
    "outliers": (LocalOutlierFactor(novelty=True), X),
    "kernels": (KernelPCA(2, kernel="rbf"), X),
    "precomputed": (SVC(kernel="precomputed"), SQUARE),
    "processes": (GaussianProcessRegressor(), X),
    "processes, classes": (GaussianProcessClassifier(), X),
    "probabilities": (SVC(decision_function_shape="ovr", break_ties=True), X),
    "a forest in threads": (RandomForestRegressor(20, n_jobs=2), X),
    "a network": (MLPClassifier((5,), max_iter=20), X),
    "coded": (SparseCoder(RANDOM.normal(size=(3, 4))), X),
    **{
        f"a dictionary by {how}": (DictionaryLearning(3, max_iter=5, transform_algorithm=how), X)
        for how in ("lasso_lars", "lasso_cd", "lars", "omp", "threshold")
    },
    "stacked": (
        StackingClassifier([("a", SVC()), ("b", LogisticRegression())], passthrough=True), X,
    ),
    "voted, as steps": (
        VotingClassifier([("a", LogisticRegression()), ("b", MLPClassifier())], voting="soft"), X,
    ),
    "columns": (ColumnTransformer([("a", OneHotEncoder(), [0])], remainder="passthrough"), WHOLE),
}  # fmt: skip


@pytest.mark.parametrize(("estimator", "x"), VARIANTS.values(), ids=VARIANTS)
def test_other_settings_and_other_tables_do_not_mix_rows_either(estimator, x):
    assert check(estimator, x) > 0


@pytest.mark.parametrize("name", sorted(NEVER))
def test_what_mixes_rows_is_never_taken_for_known(name):
    assert name in MIXING
