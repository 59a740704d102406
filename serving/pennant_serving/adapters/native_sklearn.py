"""scikit-learn models without MLflow, and without pandas when a plain array will do."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from pennant_serving.adapters import example, tables
from pennant_serving.adapters.base import ArraySpec, Further
from pennant_serving.codecs import datatypes
from pennant_serving.errors import InvalidInput
from pennant_serving.mlmodel import MLmodel, read_mlmodel
from pennant_serving.rows import Rows

# Steps that pick columns by name, or whose own function may.
SELECTORS = frozenset({"ColumnTransformer", "FunctionTransformer"})
PROBABILITIES = ("predict_proba", "predict_log_proba")


class SklearnAdapter:
    """Loads the estimator that the bundle's sklearn flavor names."""

    steady = True

    def __init__(self, mlmodel: MLmodel, estimator: Any) -> None:
        self._mlmodel = mlmodel
        self._estimator = estimator
        self._names = _names(mlmodel, estimator)
        # MLflow's pyfunc_predict_fn: which method is this model's answer.
        method = mlmodel.flavors.get("python_function", {}).get("predict_fn", "predict")
        self._predict: Callable[[Any], Any] = getattr(estimator, method)
        self._width: int | None = getattr(estimator, "n_features_in_", None)
        self._takes_frame = bool(self._names) and _takes_frame(mlmodel, estimator)
        self.array_spec = None if self._takes_frame else self._spec()
        # Arrays are checked against the names here, so scikit-learn need not miss them.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")

    @classmethod
    def load(cls, bundle: Path) -> Self:
        """Raises ValueError for a bundle of another kind, or whatever unpickling raises."""
        mlmodel = read_mlmodel(bundle)
        if mlmodel is None or "sklearn" not in mlmodel.flavors:
            raise ValueError("the bundle is no MLflow model with the sklearn flavor")
        return cls(mlmodel, load_estimator(mlmodel))

    @property
    def input_example(self) -> Rows | None:
        return example.read(self._mlmodel)

    def predict(self, rows: Rows) -> Any:
        """Raises InvalidInput, and scikit-learn's ValueError, for rows that do not fit."""
        return self._ask(self._predict, rows)

    def predict_array(self, array: Any) -> Any:
        """Raises scikit-learn's ValueError for values that do not fit."""
        return self._predict(array)

    def _spec(self) -> ArraySpec | None:
        dtype = tables.dtype_of(self._mlmodel)
        if dtype is None or self._width is None or np.dtype(dtype).kind not in "iuf":
            return None
        return ArraySpec(dtype, self._width, self._names)

    @property
    def further(self) -> dict[str, Further]:
        """What a classifier knows beside its predictions."""
        classes = getattr(self._estimator, "classes_", None)
        if not isinstance(classes, np.ndarray):
            return {}
        width = len(classes)
        found = {"classes": Further(lambda _: classes, datatypes.of_dtype(classes.dtype), (width,))}
        for name in PROBABILITIES:
            if (method := getattr(self._estimator, name, None)) is not None:
                found[name] = Further(partial(self._ask, method), "FP64", (-1, width))
        return found

    def _ask(self, function: Callable[[Any], Any], rows: Rows) -> Any:
        return function(self._frame(rows) if self._takes_frame else self.to_array(rows))

    def _frame(self, rows: Rows) -> Any:
        ordered = tables.ordered(rows, self._names, required=frozenset(self._names))
        return tables.frame(ordered, self._mlmodel.columns)

    def to_array(self, rows: Rows) -> Any:
        """The array that the estimator takes. Raises InvalidInput for rows that do not fit."""
        if self._names:
            rows = tables.ordered(rows, self._names, required=frozenset(self._names))
        array = tables.array(rows.values, tables.dtype_of(self._mlmodel))
        if self._width is None:
            return array
        if array.ndim == 1 and self._width == 1:
            array = array.reshape(-1, 1)
        if array.ndim != 2 or array.shape[1] != self._width:
            message = (
                f"rows are of shape {array.shape[1:]}, but the model takes {self._width} values"
            )
            raise InvalidInput(message)
        return array


def load_estimator(mlmodel: MLmodel) -> Any:
    """The estimator, by the format that the MLmodel file says."""
    _import_lean()
    flavor = mlmodel.flavors["sklearn"]
    path = mlmodel.folder / flavor["pickled_model"]
    if flavor.get("code"):
        raise ValueError("the bundle brings code of its own: set serving.adapter to pyfunc")
    if flavor.get("serialization_format") == "skops":
        from skops.io import load

        return load(path, trusted=flavor.get("skops_trusted_types") or [])
    import pickle

    # cloudpickle's files are pickles; that library must only be importable. The bytes were verified
    # by fetch, and running what was registered is what serving is.
    return pickle.loads(path.read_bytes())  # noqa: S301


def _import_lean() -> None:
    """scikit-learn without pandas, which takes as long to import as the rest of it.

    sklearn.utils.fixes imports pandas where it is installed, only to never use it. What handles
    frames imports it when it is given one.
    """
    if "pandas" in sys.modules or "sklearn" in sys.modules:
        return
    sys.modules["pandas"] = None  # type: ignore[assignment]  # the import system: not installed
    try:
        importlib.import_module("sklearn")
    finally:
        del sys.modules["pandas"]


def _names(mlmodel: MLmodel, estimator: Any) -> tuple[str, ...]:
    if mlmodel.columns or mlmodel.tensors:
        return mlmodel.names
    return tuple(getattr(estimator, "feature_names_in_", ()))


def _takes_frame(mlmodel: MLmodel, estimator: Any) -> bool:
    """Whether an array could be understood differently from the frame of the training."""
    parts = [estimator, *(step for _, step in getattr(estimator, "steps", ()))]
    known = all(
        type(part).__module__.startswith("sklearn.") and type(part).__name__ not in SELECTORS
        for part in parts
    )
    return not (known and mlmodel.is_numeric)
