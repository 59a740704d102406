"""LightGBM models without MLflow: a Booster, or an estimator of its scikit-learn API."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pennant_serving.adapters import estimators
from pennant_serving.adapters.base import Further
from pennant_serving.adapters.boosted import BoostedAdapter
from pennant_serving.adapters.flavors import LIGHTGBM_BOOSTER, NotNative, native_flavor
from pennant_serving.adapters.lean import imported
from pennant_serving.bundle.mlmodel import MLmodel

ONE_THREAD_ROWS = 128
"""Rows that one thread predicts faster than it wakes others."""


class LightGBMAdapter(BoostedAdapter):
    """Loads the model that the bundle's lightgbm flavor names."""

    def __init__(self, mlmodel: MLmodel, model: Any, threads: int) -> None:
        """`model` is a Booster or an LGBMModel."""
        self._model = model
        self._threads = threads
        booster = getattr(model, "booster_", model)
        if any(booster.pandas_categorical or ()):
            raise NotNative(
                "the model was trained with categories of a DataFrame, which a signature of"
                " numbers does not have"
            )
        super().__init__(
            mlmodel,
            self._with_threads(model.predict),
            features=booster.feature_name(),
            width=booster.num_feature(),
        )

    @classmethod
    def load(cls, bundle: Path, threads: int, *, shared: bool = False) -> Self:
        """Raises NotNative for a model that MLflow can serve alone, ValueError for a bundle of
        another kind, or what unpickling raises.

        To be `shared` by processes that are forked afterwards raises NotShared unless that may be.
        """
        mlmodel, flavor = native_flavor(bundle, "lightgbm")
        path = mlmodel.folder / flavor["data"]
        if flavor.get("model_class", LIGHTGBM_BOOSTER) != LIGHTGBM_BOOSTER:
            model = estimators.load_estimator(path, flavor, shared=shared)
            return cls(mlmodel, model, threads)
        lightgbm = imported("lightgbm", "pandas", "sklearn")
        return cls(mlmodel, lightgbm.Booster(model_file=path), threads)

    @property
    def further(self) -> dict[str, Further]:
        """What a classifier knows beside its predictions."""
        return estimators.further(self._model, self._ask_method)

    def _ask_method(self, method: Any, rows: Any) -> Any:
        return self.ask(self._with_threads(method), rows)

    def _with_threads(self, method: Any) -> Any:
        def ask(array: Any) -> Any:
            return method(array, num_threads=1 if len(array) <= ONE_THREAD_ROWS else self._threads)

        return ask
