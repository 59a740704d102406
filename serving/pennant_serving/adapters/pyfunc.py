"""Any MLflow model, by its python_function flavor."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Self

from mlflow.pyfunc import PyFuncModel, load_model

from pennant_serving.adapters import example
from pennant_serving.adapters.older_mlflow import IN_SERVING
from pennant_serving.adapters.scoring import Scoring, as_invalid_input
from pennant_serving.bundle.mlmodel import MLmodel, read_mlmodel
from pennant_serving.bundle.takes import Takes
from pennant_serving.rows import Prepared, Rows


class PyfuncAdapter:
    """Loads with MLflow, which also reads requests and enforces the signature."""

    joins = False
    joins_because = "MLflow asks no model to answer each row by itself"

    def __init__(self, mlmodel: MLmodel, model: PyFuncModel) -> None:
        self._mlmodel = mlmodel
        self._model = model
        self._scoring = Scoring(model.metadata)
        self.read = self._scoring.read
        self.prepare = self._scoring.prepare

    @classmethod
    def load(cls, bundle: Path) -> Self:
        """Raises ValueError for a bundle of another kind, or whatever the model's loader raises."""
        mlmodel = read_mlmodel(bundle)
        if mlmodel is None:
            raise ValueError("the bundle is no MLflow model: it has no MLmodel file")
        # As its scoring server does: type hints are checked otherwise where a model is served.
        os.environ[IN_SERVING] = "true"  # noqa: TID251
        return cls(mlmodel, load_model(str(bundle)))

    @property
    def takes(self) -> Takes:
        """For those who explain why rows do not fit."""
        return Takes.of(self._mlmodel)

    @property
    def input_example(self) -> Prepared | None:
        return example.read(self._mlmodel, self.read)

    def predict(self, asked: Rows | Prepared, params: dict[str, Any] | None = None) -> Any:
        """Raises InvalidInput for rows and params that do not fit the signature."""
        prepared = asked if isinstance(asked, Prepared) else self.prepare(asked)
        self._scoring.check_columns(prepared.data)
        with as_invalid_input():
            return self._model.predict(prepared.data, params=params)
