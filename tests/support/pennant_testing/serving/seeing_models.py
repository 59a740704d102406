"""Models that say what they see, to the type of each cell.

So two servers agree only when the model cannot tell them apart.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from pennant_testing.serving.every_result import results

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # MLflow's own, about type hints that it or we do not have
    from mlflow.pyfunc.model import PythonModel

    class Seeing(PythonModel):
        """Answers with what it sees."""

        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            return [seen(model_input), seen(params)]

    class Answering(PythonModel):
        """Answers with the result that is asked for by name."""

        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            return results()[model_input["result"][0]]

    def hinted(hint: Any) -> PythonModel:
        """A model whose type hint says what it takes; it answers with what it sees."""

        def predict(self: PythonModel, model_input: Any, params: Any = None) -> list[Any]:
            return [seen(model_input)]

        predict.__annotations__ = {"model_input": hint, "return": list[Any]}
        hinted_class: type[PythonModel] = type("Hinted", (PythonModel,), {"predict": predict})
        return hinted_class()


def seen(value: Any) -> Any:
    """A value as JSON that tells its types."""
    if isinstance(value, pd.DataFrame):
        columns = [
            [seen(n), str(value.iloc[:, p].dtype), [seen(each) for each in value.iloc[:, p]]]
            for p, n in enumerate(value.columns)
        ]
        return {"frame": columns, "index": [seen(each) for each in value.index]}
    if isinstance(value, np.ndarray):
        cells = [seen(each) for each in value.ravel().tolist()]
        return {"array": str(value.dtype), "shape": list(value.shape), "cells": cells}
    if isinstance(value, dict):
        return {"dict": [[seen(name), seen(each)] for name, each in value.items()]}
    if isinstance(value, (list, tuple)):
        return {type(value).__name__: [seen(each) for each in value]}
    return f"{type(value).__name__} {value!r}"
