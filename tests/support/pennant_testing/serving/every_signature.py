"""Signatures and type hints of every kind that a model may have."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import numpy as np
from mlflow.models import ModelSignature
from mlflow.types.schema import (
    AnyType,
    Array,
    ColSpec,
    DataType,
    Map,
    Object,
    Property,
    Schema,
    TensorSpec,
)

from pennant_testing.serving.every_result import NUMBERS, Thing

TYPES = (*DataType,)


def signatures() -> Iterator[tuple[str, ModelSignature | None]]:
    """Signatures of every kind, by name."""
    yield "none", None
    for kind in TYPES:
        name = kind.name
        second = ColSpec("double", "b")
        yield f"{name} column", signed(ColSpec(kind, "a"), second)
        yield f"{name} optional column", signed(ColSpec(kind, "a", required=False), second)
        yield f"{name} only column", signed(ColSpec(kind, "a"))
        yield f"{name} unnamed column", signed(ColSpec(kind))
        yield f"{name} unnamed columns", signed(ColSpec(kind), ColSpec("double"))
        yield f"{name} Array column", signed(ColSpec(Array(kind), "a"), second)
        thing = Object([Property("x", kind), Property("y", kind, required=False)])
        yield f"{name} Object column", signed(ColSpec(thing, "a"))
        yield f"{name} Map column", signed(ColSpec(Map(kind), "a"))
    yield "any column", signed(ColSpec(AnyType(), "a"))
    numbers: tuple[Any, ...] = (0, 1)  # MLflow takes them for names
    yield "numbered columns", signed(*(ColSpec("double", number) for number in numbers))
    for dtype in (*NUMBERS, "str", "object"):
        np_type = np.dtype(dtype)
        yield f"{dtype} tensor", signed(TensorSpec(np_type, (-1, 2)))
        yield f"{dtype} vector", signed(TensorSpec(np_type, (-1,)))
        two = TensorSpec(np_type, (-1,), "a"), TensorSpec(np.dtype("float64"), (-1, 1), "b")
        yield f"{dtype} named tensors", signed(*two)
        yield f"{dtype} named tensor", signed(TensorSpec(np_type, (-1, 2), "a"))


def signed(*inputs: ColSpec | TensorSpec) -> ModelSignature:
    return ModelSignature(inputs=Schema(list(inputs)))


HINTS = {
    "int": list[int],
    "float": list[float],
    "str": list[str],
    "bool": list[bool],
    "datetime": list[datetime.datetime],
    "bytes": list[bytes],
    "list": list[list[int]],
    "dict": list[dict[str, int]],
    "pydantic": list[Thing],
    "any": list[Any],
}
