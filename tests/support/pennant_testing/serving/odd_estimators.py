"""Estimators of one's own that answer rows in odd ways: only their authors can know how."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin

ODD: dict[str, Callable[[Any], Any]] = {
    "its share of the largest": lambda x: x[:, 0] / np.abs(x).max(),
    "its share of the column": lambda x: x[:, 0] / (np.abs(x[:, 0]).sum() + 1),
    "less the mean": lambda x: x[:, 0] - x[:, 0].mean(),
    "sorted": lambda x: np.sort(x[:, 0]),
    "added up": lambda x: np.cumsum(x[:, 0]),
    "its rank": lambda x: np.argsort(np.argsort(x[:, 0])),
    "how often it is there": lambda x: np.array([(x == row).all(axis=1).sum() for row in x]),
    "how many there are": lambda x: x[:, 0] * 0 + len(x),
    "less the first": lambda x: x[:, 0] - x[0, 0],
    "whether its place is even": lambda x: x[:, 0] + np.arange(len(x)) % 2,
    "more for pairs": lambda x: x[:, 0] + (len(x) % 2 == 0),
    "by chance": lambda x: x[:, 0] + np.random.default_rng().normal(size=len(x)),
    "two outputs": lambda x: [x[:, 0], x[:, 1]],
    "the rows across": lambda x: x.T,
    "only what is new": lambda x: np.unique(x[:, 0]),
    "more for many": lambda x: x[:, 0] + (len(x) > 5),
    "whether one is negative": lambda x: x[:, 0] + (x < 0).any(),
}


class Odd(RegressorMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """Answers in one of these ways."""

    def __init__(self, way: str = "sorted") -> None:
        self.way = way

    def fit(self, x: Any, y: Any = None) -> Odd:
        self.n_features_in_ = np.shape(x)[1]
        return self

    def predict(self, x: Any) -> Any:
        return ODD[self.way](np.asarray(x, dtype="float64"))


class OddStep(TransformerMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """Puts one of these answers beside the columns."""

    def __init__(self, way: str = "sorted") -> None:
        self.way = way

    def fit(self, x: Any, y: Any = None) -> OddStep:
        self.n_features_in_ = np.shape(x)[1]
        return self

    def transform(self, x: Any) -> Any:
        return mixed(x, self.way)


def mixed(x: Any, way: str) -> Any:
    """The columns, the first of them in one of these ways if that has a value for each row."""
    array = np.array(x, dtype="float64")
    answer = ODD[way](array)
    if isinstance(answer, np.ndarray) and answer.shape == (len(array),):
        array[:, 0] = answer
    return array


class Waits(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """Asks a service, as it were."""

    def __init__(self, seconds: float = 0.3) -> None:
        self.seconds = seconds

    def fit(self, x: Any, y: Any = None) -> Waits:
        self.n_features_in_ = np.shape(x)[1]
        return self

    def predict(self, x: Any) -> Any:
        time.sleep(self.seconds)
        return np.asarray(x)[:, 0]


def scaled(x: Any) -> Any:
    """A function of one's own."""
    return np.asarray(x) / np.abs(np.asarray(x)).max()
