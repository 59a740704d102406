"""Requests that reach a model together, and an adapter that sums them up."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import numpy as np

from pennant_serving.adapters.base import ArraySpec
from pennant_serving.model.model import Model
from pennant_serving.rows import Rows


def ask(served: Model, *requests: Rows, together: bool = True) -> list[Any]:
    """The answers to requests that arrive in the same turn of the loop, or one after the other.

    An exception is the answer of who got one.
    """

    async def run() -> list[Any]:
        if together:
            return await asyncio.gather(*map(served.predict, requests), return_exceptions=True)
        return [await served.predict(rows) for rows in requests]

    return asyncio.run(run())


class SummingAdapter:
    """A model of arrays, whose time depends on the number of rows only."""

    joins = True
    steady = True
    input_example = None
    array_spec = ArraySpec("float64", 2)

    def __init__(self) -> None:
        self.threads: set[str] = set()
        self.sizes: list[int] = []

    def to_array(self, rows: Rows) -> Any:
        return np.asarray(rows.values, dtype="float64")

    def predict(self, rows: Rows) -> Any:
        return self.predict_array(self.to_array(rows))

    def predict_array(self, array: Any) -> Any:
        self.threads.add(threading.current_thread().name.partition("_")[0])
        self.sizes.append(len(array))
        return array.sum(axis=1)
