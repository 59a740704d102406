"""Small models of the flavors that are served natively, saved by MLflow, and tables to ask them."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from onnx import ModelProto, TensorProto, helper, numpy_helper

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # MLflow's and the libraries' own, about each other
    import lightgbm
    import mlflow.lightgbm
    import mlflow.onnx
    import mlflow.sklearn
    import mlflow.xgboost
    import xgboost
    from mlflow.models import infer_signature
    from mlflow.types import ColSpec, Schema, TensorSpec
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

logging.getLogger("mlflow").setLevel(logging.ERROR)

RANDOM = np.random.default_rng(7)
TABLE = pd.DataFrame(
    {
        "a": RANDOM.normal(size=300),
        "b": RANDOM.integers(0, 5, 300),
        "c": RANDOM.normal(size=300).astype("float32"),
    }
)
ARRAY = RANDOM.normal(size=(300, 3))
LABELS = (TABLE.a + TABLE.c > 0).astype(int).to_numpy()
CLASSES = np.digitize(TABLE.a, [-0.5, 0.5])
FEW_TREES: dict[str, Any] = {"n_estimators": 5, "max_depth": 3, "n_jobs": 1}
QUIET: dict[str, Any] = {"verbose": -1, "num_threads": 1, "min_child_samples": 5}


def xgb_booster(data: Any, **params: Any) -> Any:
    wanted = {"objective": "binary:logistic", "nthread": 1} | params
    return xgboost.train(wanted, xgboost.DMatrix(data, LABELS), 5)


def lgb_booster(data: Any, **params: Any) -> Any:
    return lightgbm.train(
        {"objective": "binary"} | QUIET | params, lightgbm.Dataset(data, LABELS), 5
    )


def lgb_classifier(labels: Any) -> Any:
    return lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1).fit(TABLE, labels)


def save_xgb(path: Path, model: Any, data: Any, **more: Any) -> None:
    asked = xgboost.DMatrix(data) if isinstance(model, xgboost.Booster) else data
    signature = infer_signature(data, model.predict(asked))
    save(mlflow.xgboost.save_model, model, path, data, signature=signature, **more)


def save_lgb(path: Path, model: Any, data: Any, **more: Any) -> None:
    signature = infer_signature(data, model.predict(data))
    save(mlflow.lightgbm.save_model, model, path, data, signature=signature, **more)


def save(how: Callable[..., None], model: Any, path: Path, example: Any, **more: Any) -> None:
    how(model, path, input_example=few(example), pip_requirements=[], **more)


def few(example: Any) -> Any:
    """Two rows."""
    if isinstance(example, dict):
        return {name: values[:2] for name, values in example.items()}
    return example[:2]


FLOAT, DOUBLE, INT64 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64
Inputs = Mapping[str, tuple[int, Sequence[Any]]]
"""Element type and shape by name."""


def onnx_model(nodes: list[Any], inputs: Inputs, outputs: Inputs, **constants: Any) -> ModelProto:
    takes, gives = (
        [helper.make_tensor_value_info(name, *kind) for name, kind in each.items()]
        for each in (inputs, outputs)
    )
    known = [numpy_helper.from_array(np.asarray(c), name) for name, c in constants.items()]
    graph = helper.make_graph(nodes, "graph", takes, gives, known)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=9)


def linear(element: int = FLOAT, rows: Any = "n", width: int = 1) -> ModelProto:
    """x (3 columns) to y."""
    dtype = helper.tensor_dtype_to_np_dtype(element)
    weights = np.arange(3 * width).reshape(3, width).astype(dtype)
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    return onnx_model(
        [node], {"x": (element, [rows, 3])}, {"y": (element, [rows, width])}, w=weights
    )


def classifier() -> ModelProto:
    """What converters make of classifiers: labels and probabilities."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"]),
        helper.make_node("ArgMax", ["scores"], ["label"], axis=1, keepdims=0),
    ]
    outputs: Inputs = {"label": (INT64, ["n"]), "probabilities": (FLOAT, ["n", 2])}
    weights = np.arange(6, dtype="float32").reshape(3, 2) - 2
    return onnx_model(nodes, {"x": (FLOAT, ["n", 3])}, outputs, w=weights)


def sums() -> ModelProto:
    """Two inputs to two outputs."""
    nodes = [
        helper.make_node("Add", ["a", "c"], ["sum"]),
        helper.make_node("Mul", ["a", "c"], ["product"]),
    ]
    inputs = {"a": (FLOAT, ["n"]), "c": (FLOAT, ["n"])}
    return onnx_model(nodes, inputs, {"sum": (FLOAT, ["n"]), "product": (FLOAT, ["n"])})


def save_onnx(path: Path, model: ModelProto, example: Any, signature: Any = None) -> None:
    signature = signature or infer_signature(example)
    save(mlflow.onnx.save_model, model, path, example, signature=signature)


def vectors(*names: str) -> Any:
    """A signature."""
    specs: list[ColSpec | TensorSpec] = [
        TensorSpec(np.dtype("float32"), (-1,), name) for name in names
    ]
    return mlflow.models.ModelSignature(inputs=Schema(specs))


SINGLE = ARRAY.astype("float32")
NUMBERS = TABLE[["a", "c"]].astype("float64").assign(d=1.5)
PAIR = TABLE[["a", "c"]]

MODELS: dict[str, Callable[[Path], None]] = {
    "xgboost booster": lambda path: save_xgb(path, xgb_booster(TABLE), TABLE),
    "xgboost booster, tensor": lambda path: save_xgb(path, xgb_booster(ARRAY), ARRAY),
    "xgboost linear booster": lambda path: save_xgb(
        path, xgb_booster(TABLE, booster="gblinear"), TABLE, model_format="json"
    ),
    "xgboost classifier": lambda path: save_xgb(
        path, xgboost.XGBClassifier(**FEW_TREES).fit(TABLE, LABELS), TABLE, model_format="json"
    ),
    "xgboost classifier of three": lambda path: save_xgb(
        path, xgboost.XGBClassifier(**FEW_TREES).fit(TABLE, CLASSES), TABLE
    ),
    "xgboost regressor": lambda path: save_xgb(
        path, xgboost.XGBRegressor(**FEW_TREES).fit(ARRAY, LABELS), ARRAY
    ),
    "lightgbm booster": lambda path: save_lgb(path, lgb_booster(TABLE), TABLE),
    "lightgbm booster, tensor": lambda path: save_lgb(path, lgb_booster(ARRAY), ARRAY),
    "lightgbm classifier": lambda path: save_lgb(
        path, lgb_classifier(np.array(["no", "yes"])[LABELS]), TABLE,
        serialization_format="cloudpickle",
    ),
    "lightgbm classifier of three": lambda path: save_lgb(
        path, lgb_classifier(CLASSES), TABLE, serialization_format="cloudpickle"
    ),
    "lightgbm in a pipeline": lambda path: save(
        mlflow.sklearn.save_model,
        make_pipeline(StandardScaler(), lgb_classifier(LABELS)).fit(TABLE, LABELS),
        path, TABLE, signature=infer_signature(TABLE, LABELS), serialization_format="cloudpickle",
    ),
    "onnx": lambda path: save_onnx(path, linear(), SINGLE),
    "onnx, signature of doubles": lambda path: save_onnx(path, linear(), ARRAY),
    "onnx of doubles": lambda path: save_onnx(path, linear(DOUBLE), ARRAY),
    "onnx, columns": lambda path: save_onnx(path, linear(), NUMBERS),
    "onnx, columns to several values": lambda path: save_onnx(path, linear(width=2), NUMBERS),
    "onnx classifier": lambda path: save_onnx(path, classifier(), SINGLE),
    "onnx, one row at a time": lambda path: save_onnx(path, linear(rows=1), SINGLE[:1]),
    "onnx of two inputs, columns": lambda path: save_onnx(path, sums(), PAIR),
    "onnx of two inputs, tensors": lambda path: save_onnx(
        path, sums(), {name: PAIR[name].to_numpy("float32") for name in PAIR},
        vectors("a", "c"),
    ),
}  # fmt: skip


SPLIT = {"columns": ["c", "a", "b"], "data": [[0.25, -1.5, 3], [1.0, 0.5, 0]]}
MISSING = {"columns": ["a", "b", "c"], "data": [[None, 1, None], [0.5, 2, 1.5]]}
MATRIX = [[0.5, -1.0, 0.25], [2, 0, -3.5]]
COLUMNS: dict[str, Any] = {
    "split": {"dataframe_split": SPLIT},
    "records": {"dataframe_records": [{"a": 0.125, "b": 4, "c": -1}]},
    "inputs": {"inputs": {"a": [1.0, -1.0], "b": [3, 4], "c": [0.1, 0.2]}},
    "null": {"dataframe_split": MISSING},
}
TENSOR: dict[str, Any] = {"instances": {"instances": MATRIX}, "inputs": {"inputs": MATRIX}}
FLOATS = {"columns": ["d", "c", "a"], "data": [[0.5, 1.0, 1], [2, 3, -4.5]]}
PAIRED = {"a": [0.5, 2.0], "c": [1.5, -1.0]}
BODIES: dict[str, dict[str, Any]] = {
    **{name: COLUMNS for name in MODELS if not name.startswith("onnx")},
    **{name: TENSOR for name in MODELS if "tensor" in name or "regressor" in name},
    **{name: TENSOR for name in MODELS if name.startswith("onnx")},
    "lightgbm in a pipeline": {"split": COLUMNS["split"]},
    "onnx, columns": {"split": {"dataframe_split": FLOATS}},
    "onnx, columns to several values": {"split": {"dataframe_split": FLOATS}},
    "onnx, one row at a time": {"one": {"instances": MATRIX[:1]}},
    "onnx of two inputs, columns": {"inputs": {"inputs": PAIRED}},
    "onnx of two inputs, tensors": {"inputs": {"inputs": PAIRED}},
}
"""Requests to each model, by what they are."""


def save_model(name: str, path: Path) -> Path:
    """The bundle of a model, in a folder that is not there yet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one that MLflow meets as an error makes another signature
        MODELS[name](path)
    return path
