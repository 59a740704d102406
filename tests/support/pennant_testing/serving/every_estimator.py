"""Every estimator of scikit-learn that numbers can be fitted with, and what it answers."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

INPUTS = np.abs(np.random.default_rng(0).normal(size=(40, 3))) + 0.1
LABELS = (INPUTS[:, 0] > np.median(INPUTS[:, 0])).astype(int)
VALUES = INPUTS @ [1.0, 2.0, 3.0]
TARGETS = (LABELS, VALUES, np.c_[LABELS, 1 - LABELS], np.c_[VALUES, VALUES], None)
METHODS = ("predict", "predict_proba", "decision_function", "transform", "score_samples")


def fitted() -> Iterator[tuple[str, Any]]:
    """By name, each with the first kind of target that it takes."""
    from sklearn.utils import all_estimators

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, kind in all_estimators():
            for target in TARGETS:
                try:
                    made = _made(kind)
                    made.fit(INPUTS) if target is None else made.fit(INPUTS, target)
                    if any(isinstance(each, str) for each in answers(made).values()):
                        continue
                except Exception:  # noqa: BLE001 - not for such data
                    continue
                yield name, made
                break


def answers(estimator: Any, inputs: Any = INPUTS) -> dict[str, Any]:
    """Of each method that it has, as numbers and texts in lists; the name of what it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        methods = ((name, getattr(estimator, name, None)) for name in METHODS)
        return {name: _asked(method, inputs) for name, method in methods if method is not None}


def _asked(method: Any, inputs: Any) -> Any:
    try:
        return _plain(method(inputs))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the same elsewhere
        return type(error).__name__


def _plain(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_plain(each) for each in answer]
    return np.asarray(answer.toarray() if hasattr(answer, "toarray") else answer).tolist()


def _made(kind: type) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    given = {
        "estimator": LogisticRegression(),
        "estimators": [("a", LogisticRegression()), ("b", LogisticRegression(C=2.0))],
        "base_estimator": LogisticRegression(),
        "param_grid": {"C": [1.0, 2.0]},
        "param_distributions": {"C": [1.0, 2.0]},
        "transformers": [("s", StandardScaler(), [0, 1])],
        "transformer_list": [("s", StandardScaler())],
        "steps": [("s", StandardScaler()), ("l", LogisticRegression())],
        "n_components": 2,
        "random_state": 0,
    }
    parameters = inspect.signature(kind).parameters.values()
    needed = {each.name for each in parameters if each.default is each.empty}
    needed |= {each.name for each in parameters if each.name == "random_state"}
    return kind(**{name: given[name] for name in needed if name in given})
