"""scikit-learn's models with the rows they were trained on and their signatures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import ModelSignature, infer_signature
from mlflow.types.schema import (
    ColSpec,
    DataType,
)
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from pennant_testing.serving.every_signature import signed


def estimators() -> Iterator[tuple[str, Any, Any, ModelSignature | None]]:
    """scikit-learn's models: a name, the estimator, the rows it was trained on, its signature."""
    numbers = pd.DataFrame({"a": [0.0, 1.0, 0.0, 3.0], "b": [0.5, 0.0, 1.0, 2.0]})
    target = [0, 1, 0, 1]
    for kind in ("double", "float", "long", "integer", "boolean"):
        rows = numbers.assign(a=numbers["a"].astype(DataType[kind].to_numpy()))
        fitted = LinearRegression().fit(rows, target)
        yield f"{kind} and double", fitted, rows, infer_signature(rows, target)
        if kind != "double":
            both = rows.assign(b=numbers["b"].astype(DataType[kind].to_numpy()))
            fitted = LinearRegression().fit(both, target)
            yield f"{kind} columns", fitted, both, infer_signature(both, target)
        single = rows[["a"]]
        fitted = LinearRegression().fit(single, target)
        yield f"{kind} only column", fitted, single, infer_signature(single, target)
    optional = signed(ColSpec("double", "a", required=False), ColSpec("double", "b"))
    yield (
        "optional column",
        HistGradientBoostingClassifier().fit(numbers, target),
        numbers,
        optional,
    )
    for dtype in ("float64", "float32", "int64", "int32", "uint8", "bool"):
        x = numbers.to_numpy().astype(dtype)
        fitted = LogisticRegression().fit(x, target)
        yield f"{dtype} tensor", fitted, x, infer_signature(x, target)
    x = numbers.to_numpy()
    unnamed = signed(ColSpec("double"), ColSpec("double"))
    yield "unnamed columns", LinearRegression().fit(x, target), x, unnamed
    numbered = pd.DataFrame(x)
    fitted = LinearRegression().fit(x, target)
    yield "numbered columns", fitted, numbered, infer_signature(numbered, target)
    yield "unsigned, trained on an array", LinearRegression().fit(x, target), x, None
    yield "unsigned, trained on a frame", LinearRegression().fit(numbers, target), numbers, None
    other = LinearRegression().fit(numbers[["b", "a"]], target)
    yield "columns in another order", other, numbers, infer_signature(numbers, target)
    mixed = pd.DataFrame({"a": ["x", "y", "x", "5"], "b": [1.0, 2.0, 3.0, 4.0]})
    encoder = make_column_transformer((OneHotEncoder(), ["a"]), (StandardScaler(), ["b"]))
    fitted = make_pipeline(encoder, LogisticRegression()).fit(mixed, target)
    yield "text and number", fitted, mixed, infer_signature(mixed, target)
    yield "text and number, unsigned", fitted, mixed, None
    texts = ["x y", "y z", "x x", "z 5"]
    fitted = make_pipeline(CountVectorizer(token_pattern="."), LogisticRegression())
    fitted.fit(texts, target)
    yield "texts, unsigned", fitted, texts, None
    yield "texts as an array", fitted, texts, infer_signature(np.array(texts), target)
    categories = pd.DataFrame({"a": ["x", "y", "x", "5"], "b": ["1.5", "2", "3", "1.5"]})
    coder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    fitted = make_pipeline(coder, LinearRegression()).fit(categories, target)
    yield "texts in columns", fitted, categories, infer_signature(categories, target)
