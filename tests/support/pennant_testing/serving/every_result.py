"""Predictions of every kind that a model may answer with."""

from __future__ import annotations

import datetime
import math
from typing import Any

import numpy as np
import pandas as pd
import pydantic

NUMBERS = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64"),
)


class Thing(pydantic.BaseModel):
    """What models with type hints take, and answer."""

    name: str
    when: datetime.datetime


def results() -> dict[str, Any]:
    """Predictions of every kind, by name."""
    when = datetime.datetime(2026, 3, 1, 12, 30, tzinfo=datetime.UTC)
    thing = Thing(name="x", when=when)
    numbers = {f"array of {d}": np.array([[1, 0], [0, 1]], dtype=d) for d in NUMBERS}
    return numbers | {
        "infinities": np.array([np.inf, -np.inf, 1.5]),
        "infinities in a list": [math.inf, 1],
        "infinity in an array of a dict": {"a": np.array([np.inf])},
        "infinity in a frame": pd.DataFrame({"a": [math.inf, 1.0]}),
        "not a number": np.array([math.nan, 1.0]),
        "not a number in a list": [math.nan, None, "null"],
        "texts": np.array(["x", "ü"]),
        "objects": np.array(["x", None, 1, np.float32(1.5)], dtype=object),
        "nested objects": np.array([[1, "x"], [None, b"x"]], dtype=object),
        "bytes": [b"x", b"\xff"],
        "array of bytes": np.array([b"x"], dtype=object),
        "no dimension": np.array(1.5),
        "a number": 1.5,
        "a number of NumPy": np.int64(3),
        "a text": "x",
        "nothing": None,
        "a truth": True,
        "large whole numbers": [2**64, -(2**70)],
        "large unsigned": np.array([2**64 - 1], dtype="uint64"),
        "days": np.array(["2026-03-01"], dtype="datetime64[D]"),
        "times": np.array(["2026-03-01T12:30", "NaT"], dtype="datetime64[us]"),
        "times in nanoseconds": np.array(["2026-03-01", "NaT"], dtype="datetime64[ns]"),
        "a time": when,
        "a day": when.date(),
        "an hour": when.time(),
        "a Timestamp": pd.Timestamp(when),
        "pydantic": thing,
        "list of pydantic": [thing],
        "pydantic in a dict": {"a": thing},
        "dict": {"a": [1], "b": {"c": np.array([1.5])}},
        "numbers as keys": {1: "a", 2: "b"},
        "floats as keys": {1.5: "a"},
        "truths as keys": {True: "a"},
        "nothing as key": {None: "a"},
        "keys of NumPy": dict(zip(np.array(["x", "y"]), np.array([0.25, 0.75]), strict=True)),
        "list of dicts of numbers": [{1: 0.5}, {2: 0.5}],
        "tuple": (1, (2, 3)),
        "list of arrays": [np.array([1, 2]), np.array([[1.5]])],
        "masked": np.ma.array([1, 2], mask=[True, False]),
        "masked in a list": [np.ma.array([1.5, 2], mask=[True, False])],
        "frame": pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
        "frame of numbered columns": pd.DataFrame([[1, 2], [3, 4]]),
        "frame of truths": pd.DataFrame({"a": [True, False]}),
        "frame of times": pd.DataFrame({"a": pd.to_datetime(["2026-03-01"])}),
        "frame of lists": pd.DataFrame({"a": [[1, 2], np.array([3])]}),
        "frame with an index": pd.DataFrame({"a": [1]}, index=["x"]),
        "empty frame": pd.DataFrame({"a": []}),
        "Series": pd.Series([1, 2]),
        "named Series": pd.Series([1.5, 2], name="x"),
        "empty": [],
        "empty array": np.array([]),
        "half a surrogate pair": "\ud800",
        "a set": {1},
        "complex": [1j],
        "an object": object(),
    }
