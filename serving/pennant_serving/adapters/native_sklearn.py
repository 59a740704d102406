"""scikit-learn models without MLflow, and without pandas when a plain array will do."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np

from pennant_serving.adapters import estimators
from pennant_serving.adapters.base import Further
from pennant_serving.adapters.tabular import TabularAdapter
from pennant_serving.mlmodel import MLmodel, read_mlmodel

# Steps that pick columns by name, or whose own function may.
SELECTORS = frozenset({"ColumnTransformer", "FunctionTransformer"})


class SklearnAdapter(TabularAdapter):
    """Loads the estimator that the bundle's sklearn flavor names."""

    def __init__(self, mlmodel: MLmodel, estimator: Any) -> None:
        self._estimator = estimator
        self._takes_texts = estimators.takes_texts(estimator)
        names = _names(mlmodel, estimator)
        # MLflow's pyfunc_predict_fn: which method is this model's answer.
        method = mlmodel.flavors.get("python_function", {}).get("predict_fn", "predict")
        super().__init__(
            mlmodel,
            getattr(estimator, method),
            names=names,
            width=getattr(estimator, "n_features_in_", None),
            takes_frame=_takes_frame(mlmodel, estimator),
        )

    @classmethod
    def load(cls, bundle: Path) -> Self:
        """Raises ValueError for a bundle of another kind, or whatever unpickling raises."""
        mlmodel = read_mlmodel(bundle)
        if mlmodel is None or "sklearn" not in mlmodel.flavors:
            raise ValueError("the bundle is no MLflow model with the sklearn flavor")
        flavor = mlmodel.flavors["sklearn"]
        path = mlmodel.folder / flavor["pickled_model"]
        return cls(mlmodel, estimators.load_estimator(path, flavor))

    def _given(self, data: Any) -> Any:
        """A vectorizer is given a list of texts: of a frame it would read the columns' names."""
        if not self._takes_texts:
            return data
        table = data.to_numpy() if hasattr(data, "iloc") else data
        is_column = isinstance(table, np.ndarray) and table.ndim == 2 and table.shape[1] == 1
        return table[:, 0] if is_column else data

    @property
    def further(self) -> dict[str, Further]:
        """What a classifier knows beside its predictions."""
        return estimators.further(self._estimator, self.ask)


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
    return not (known and mlmodel.takes_numbers)
