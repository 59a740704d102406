"""Any MLflow model, by its python_function flavor."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel, load_model

from pennant_serving.adapters import example, tables
from pennant_serving.errors import InvalidInput
from pennant_serving.mlmodel import MLmodel, read_mlmodel
from pennant_serving.rows import Rows

BAD_REQUEST = ("BAD_REQUEST", "INVALID_PARAMETER_VALUE")


class PyfuncAdapter:
    """Loads with MLflow, which also enforces the signature."""

    joins = False
    joins_because = "MLflow asks no model to answer each row by itself"

    def __init__(self, mlmodel: MLmodel, model: PyFuncModel) -> None:
        self._mlmodel = mlmodel
        self._model = model
        self._required = frozenset(c.name for c in mlmodel.columns if c.name and c.required)

    @classmethod
    def load(cls, bundle: Path) -> Self:
        """Raises ValueError for a bundle of another kind, or whatever the model's loader raises."""
        mlmodel = read_mlmodel(bundle)
        if mlmodel is None:
            raise ValueError("the bundle is no MLflow model: it has no MLmodel file")
        return cls(mlmodel, load_model(str(bundle)))

    @property
    def input_example(self) -> Rows | None:
        return example.read(self._mlmodel)

    def predict(self, rows: Rows, params: dict[str, Any] | None = None) -> Any:
        """Raises InvalidInput for rows and params that do not fit the signature."""
        try:
            return self._model.predict(self._data(rows), params=params)
        except MlflowException as error:
            if error.error_code in BAD_REQUEST:
                raise InvalidInput(error.message) from error
            raise

    def _data(self, rows: Rows) -> Any:
        if self._mlmodel.from_type_hint:
            return list(rows)
        if self._mlmodel.names:
            rows = tables.ordered(rows, self._mlmodel.names, required=self._required)
        if self._mlmodel.tensors and rows.columns is not None:
            if self._mlmodel.tensors[0].get("name"):
                return tables.named_arrays(rows, self._mlmodel.tensors)
            rows = Rows(rows.values)  # columns of a frame, for a model that takes one array
        if rows.columns is not None or self._mlmodel.columns:
            return tables.frame(rows, self._mlmodel.columns)
        return tables.array(rows.values, tables.dtype_of(self._mlmodel))
