"""Functions that MLflow has not always had: a bundle's own environment may bring any from 2.9 on.

Each is MLflow's own where it has it.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from mlflow import pyfunc
from mlflow.exceptions import MlflowException
from mlflow.models import utils
from mlflow.utils import proto_json_utils

IN_SERVING = "_MLFLOW_IS_IN_SERVING_ENVIRONMENT"
"""The variable by which it knows since 2.20 that a model is served, not tried."""

SCORING, HANDLERS = "mlflow.pyfunc.scoring_server", "mlflow.server.handlers"


def _scoring_server() -> Any:
    """MLflow's parsers of requests. In MLflow 2 their module also has routes, by Flask and with a
    decorator of MLflow's own server; mlflow-skinny leaves out Flask and what that server needs."""
    try:
        return importlib.import_module(SCORING)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "mlflow":
            raise
    for name in [each for each in sys.modules if each.startswith("mlflow.server")]:
        del sys.modules[name]  # imported by half
    absent = {name: ModuleType(name) for name in ("flask", "mlflow.server", HANDLERS)}
    vars(absent[HANDLERS])["catch_mlflow_exception"] = lambda route: route
    sys.modules |= absent
    try:
        return importlib.import_module(SCORING)
    finally:
        for name in absent:
            del sys.modules[name]


scoring_server = _scoring_server()


def validate_prediction_input(
    data: Any, params: Any, input_schema: Any, params_schema: Any
) -> tuple[Any, Any]:
    """Data and params as the signature wants them; one function since 2.12. Raises
    MlflowException."""
    validate = getattr(pyfunc, "_validate_prediction_input", None)
    if validate is not None:
        known: tuple[Any, Any] = validate(data, params, input_schema, params_schema)
        return known
    if input_schema is not None:
        data = utils._enforce_schema(data, input_schema)
    return data, utils._enforce_params_schema(params, params_schema)


def convert_data_type(data: Any, spec: Any) -> Any:
    """An array of the type that an input has in the signature; since 2.10. Raises
    MlflowException."""
    convert = getattr(proto_json_utils, "convert_data_type", None)
    if convert is not None:
        return convert(data, spec)
    kind = getattr(spec, "type", None)  # numpy's, of a tensor
    to_numpy = getattr(kind, "to_numpy", lambda: kind)
    try:
        return np.array(data, dtype=to_numpy())
    except (TypeError, ValueError) as error:
        problem = f"Failed to convert data to {kind}: {error}"
        raise MlflowException.invalid_parameter_value(problem) from error


def parse_parquet_input(file: BinaryIO) -> Any:
    """A DataFrame; since 3.5. Raises MlflowException."""
    parse = getattr(scoring_server, "parse_parquet_input", None)
    if parse is not None:
        return parse(file)
    try:
        return pd.read_parquet(file)
    except Exception as error:
        raise MlflowException.invalid_parameter_value(f"no Parquet: {error}") from error
