"""scikit-learn models without MLflow, and without pandas when a plain array will do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np

from pennant_serving.adapters import estimators, tables
from pennant_serving.adapters.base import Further
from pennant_serving.adapters.boosted import check_order
from pennant_serving.adapters.flavors import native_flavor
from pennant_serving.adapters.inputs import why_frames
from pennant_serving.adapters.known import Survey, is_own, survey
from pennant_serving.adapters.tabular import TabularAdapter
from pennant_serving.bundle.mlmodel import MLmodel
from pennant_serving.errors import InvalidInput
from pennant_serving.rows import Prepared, Rows


class SklearnAdapter(TabularAdapter):
    """Loads the estimator that the bundle's sklearn flavor names."""

    def __init__(self, mlmodel: MLmodel, estimator: Any) -> None:
        self._estimator = estimator
        self._takes_texts = estimators.takes_texts(estimator)
        names = _names(mlmodel, estimator)
        # MLflow's pyfunc_predict_fn: which method is this model's answer.
        method = mlmodel.flavors.get("python_function", {}).get("predict_fn", "predict")
        if is_own(type(estimator), "lightgbm"):
            check_order(names, estimator.feature_name_)
        surveyed = survey(estimator)
        because = surveyed.why_not_rows(method)
        self.joins = self.steady = not because
        self.joins_because = because or "every step is scikit-learn's own"
        super().__init__(
            mlmodel,
            getattr(estimator, method),
            names=names,
            width=getattr(estimator, "n_features_in_", None),
            dtype=tables.dtype_of(mlmodel),
            takes_frame=_takes_frame(mlmodel, names, surveyed),
        )

    @classmethod
    def load(cls, bundle: Path, *, shared: bool = False) -> Self:
        """Raises NotNative for a model that MLflow can serve alone, ValueError for a bundle of
        another kind, or whatever unpickling raises.

        To be `shared` by processes that are forked afterwards raises NotShared unless that may be.
        """
        mlmodel, flavor = native_flavor(bundle, "sklearn")
        path = mlmodel.folder / flavor["pickled_model"]
        return cls(mlmodel, estimators.load_estimator(path, flavor, shared=shared))

    def ask(self, function: Callable[[Any], Any], asked: Rows | Prepared) -> Any:
        """As all adapters do; InvalidInput when a vectorizer stumbles over what is no text."""
        prepared = asked if isinstance(asked, Prepared) else self.prepare(asked)
        try:
            return super().ask(function, prepared)
        except (AttributeError, TypeError) as error:
            other = estimators.no_text(self._given(prepared.data)) if self._takes_texts else None
            if other is None:
                raise
            raise InvalidInput(f"the model takes texts: {other} is none") from error

    def _given(self, data: Any) -> Any:
        """A vectorizer is given a list of texts: of a frame it would read the columns' names."""
        if not self._takes_texts:
            return super()._given(data)
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


def _takes_frame(mlmodel: MLmodel, names: tuple[str, ...], surveyed: Survey) -> bool:
    """Whether an array could be understood otherwise than what MLflow makes of a request."""
    if mlmodel.columns or names:
        return bool(why_frames(mlmodel, surveyed))
    return not mlmodel.takes_numbers
