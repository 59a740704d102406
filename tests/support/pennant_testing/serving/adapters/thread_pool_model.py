"""Models of one's own with a pool of threads, which would be lost in a fork.

The pool is the module's, and has begun to work when that is imported.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

POOL = ThreadPoolExecutor(1)
POOL.submit(int).result()


def doubled(value: float) -> float:
    """By that pool."""
    return POOL.submit(lambda: 2 * value).result(timeout=20)


class PoolAdapter:
    """An adapter that asks the pool."""

    input_example = (1.0,)

    @classmethod
    def load(cls, bundle: Path) -> Self:
        return cls()

    def predict(self, rows: Any) -> list[float]:
        return [doubled(row) for row in rows]


class PoolEstimator:
    """An estimator that asks it."""

    def fit(self, x: Any, y: Any = None) -> Self:
        return self

    def predict(self, x: Any) -> Any:
        return [doubled(row[0]) for row in x]
