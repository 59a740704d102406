"""Estimators of scikit-learn whose answer to a row depends on other rows, or on chance. Pure.

A test asks every estimator that scikit-learn has and that is not named here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

METHODS = frozenset(
    {
        *("predict", "predict_proba", "predict_log_proba", "predict_joint_log_proba"),
        *("decision_function", "score_samples", "transform"),
    }
)
"""What is asked of each row by itself; others score, fit, or look for neighbours."""


@dataclass(frozen=True)
class Mixing:
    """One kind of estimator."""

    reason: str
    method: str | None = None
    """The only one that mixes; None when all do, or what asks a pipeline's last step."""
    when: Callable[[Any], bool] = lambda _: True
    alone: bool = False
    """Only when it is the model itself, not when another estimator uses it for its targets."""

    def applies(self, estimator: Any, method: str, *, is_model: bool) -> bool:
        """Whether the answers of a method of the model are mixed by this estimator in it."""
        asked = self.method in (None, method) and (is_model or not self.alone)
        return asked and self.when(estimator)


LABELS = Mixing("takes targets, not rows", alone=True)
TOGETHER = Mixing("looks for one solution for all rows")
MIXING = {
    "BernoulliRBM": Mixing("draws at random", "score_samples"),
    "DummyClassifier": Mixing(
        "draws at random", when=lambda dummy: dummy.strategy in ("stratified", "uniform")
    ),
    "IterativeImputer": Mixing("goes by whether any row of all has a value"),
    "LabelBinarizer": LABELS,
    "LabelEncoder": LABELS,
    "MiniBatchNMF": TOGETHER,
    "MiniBatchSparsePCA": TOGETHER,
    "MultiLabelBinarizer": LABELS,
    "NMF": TOGETHER,
    "PatchExtractor": Mixing("draws at random"),
    "RadiusNeighborsRegressor": Mixing(
        "answers in floats when one row of all has neighbours",
        when=lambda radius: np.asarray(getattr(radius, "_y", 0.0)).dtype.kind != "f",
    ),
    "SparsePCA": TOGETHER,
    "VotingClassifier": Mixing(
        "has its estimators first and the rows second",
        "transform",
        when=lambda voting: voting.voting == "soft" and not voting.flatten_transform,
    ),
}
"""By the class's name."""


def why_mixing(estimators: Sequence[Any], method: str) -> str:
    """Why the method of the first of these, which holds the others, is none of each row by itself;
    empty when it is."""
    if method not in METHODS:
        return f"{method} is no answer to each row"
    for place, estimator in enumerate(estimators):
        name = type(estimator).__name__
        entry = MIXING.get(name)
        if entry and entry.applies(estimator, method, is_model=place == 0):
            return f"{name} {entry.reason}"
    return ""
