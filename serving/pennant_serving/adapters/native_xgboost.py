"""XGBoost models without MLflow: a Booster, or an estimator of its scikit-learn API."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

from pennant_serving.adapters import estimators, tables
from pennant_serving.adapters.base import Further
from pennant_serving.adapters.boosted import BoostedAdapter
from pennant_serving.adapters.flavors import XGBOOST_BOOSTER, NotNative, native_flavor
from pennant_serving.adapters.lean import imported
from pennant_serving.bundle.mlmodel import MLmodel


class XGBoostAdapter(BoostedAdapter):
    """Loads the model that the bundle's xgboost flavor names."""

    def __init__(self, mlmodel: MLmodel, model: Any) -> None:
        """`model` is a Booster or an XGBModel."""
        self._model = model
        booster = model.get_booster() if hasattr(model, "get_booster") else model
        features = tuple(booster.feature_names or ())
        if features and mlmodel.names and mlmodel.names != features:
            raise ValueError(
                f"the signature's columns are {', '.join(mlmodel.names)}, but the model was"
                f" trained with {', '.join(features)}: XGBoost takes them in that order only"
            )
        width = booster.num_features()
        super().__init__(mlmodel, _answer(model, booster), features=features, width=width)

    @classmethod
    def load(cls, bundle: Path, threads: int) -> Self:
        """Raises ValueError for a bundle of another kind, or what the library raises."""
        mlmodel, flavor = native_flavor(bundle, "xgboost")
        kind = flavor.get("model_class", XGBOOST_BOOSTER)
        model = _new(kind)
        model.load_model(mlmodel.folder / flavor["data"])
        booster = model.get_booster() if kind != XGBOOST_BOOSTER else model
        booster.set_param({"nthread": threads})
        return cls(mlmodel, model)

    @property
    def further(self) -> dict[str, Further]:
        """What a classifier knows beside its predictions."""
        return estimators.further(self._model, self.ask)


def _new(kind: str) -> Any:
    """A model of this class, empty."""
    if kind == XGBOOST_BOOSTER:
        return imported("xgboost", "pandas", "sklearn").Booster()
    estimators.import_sklearn()
    model_class = getattr(imported("xgboost", "pandas"), kind.rpartition(".")[2], None)
    if model_class is None:
        raise NotNative(f"the model is a {kind}, which is none of the library's public classes")
    return model_class()


def _answer(model: Any, booster: Any) -> Callable[[Any], Any]:
    if model is not booster:
        return model.predict  # type: ignore[no-any-return]
    linear = '"name":"gblinear"' in booster.save_config()
    return _linear(booster) if linear else partial(_finite, booster.inplace_predict)


def _finite(predict: Callable[[Any], Any], array: Any) -> Any:
    """XGBoost's matrices, and so MLflow, take no infinities. Raises InvalidInput."""
    return predict(tables.finite(array))


def _linear(booster: Any) -> Callable[[Any], Any]:
    """A booster of linear models takes matrices of its own kind only, and one thread at a time."""
    from xgboost import DMatrix

    lock = threading.Lock()

    def predict(array: Any) -> Any:
        with lock:
            return booster.predict(DMatrix(array), validate_features=False)

    return predict
