"""Whether an estimator may be given a plain array for the frame that MLflow makes. Pure."""

from __future__ import annotations

import contextlib
from typing import Any

from pennant_serving.adapters.known import Survey
from pennant_serving.adapters.plain import attributes
from pennant_serving.bundle.mlmodel import MLmodel

SELECTORS = frozenset({"ColumnTransformer", "FunctionTransformer"})
"""Steps that pick columns by name, or whose function may."""
ENCODERS = frozenset({"OneHotEncoder", "OrdinalEncoder", "TargetEncoder"})
"""Steps that look at each column with the type that it has in a frame."""


def why_frames(mlmodel: MLmodel, survey: Survey) -> str:
    """Why an array could be understood differently from that frame; empty when it could not."""
    if not mlmodel.is_numeric:
        return "not all columns are numbers"
    if survey.stranger:
        return f"{survey.stranger} is not scikit-learn's own"
    mixed = len({column.type for column in mlmodel.columns}) > 1
    reasons = (_why(each, mlmodel.names, mixed=mixed) for each in survey.estimators)
    return next(filter(None, reasons), "")


def _why(estimator: Any, names: tuple[str, ...], *, mixed: bool) -> str:
    kind, state = type(estimator).__name__, attributes(estimator)
    if kind in SELECTORS:
        return f"{kind} picks columns"
    if kind in ENCODERS and mixed:
        return f"{kind} looks at the type of each column"
    if "transform" in state.get("_sklearn_output_config", {}):
        return f"{kind} answers with frames"
    trained = state.get("feature_names_in_")
    if type(estimator).__module__.startswith("xgboost."):  # which has a property, and checks it
        with contextlib.suppress(Exception):
            trained = estimator.feature_names_in_
    if trained is not None and tuple(trained) != names:
        return f"{kind} was trained with other columns, or in another order"
    return ""
