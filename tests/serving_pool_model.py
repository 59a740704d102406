"""Models of one's own with a pool of threads, which would be lost in a fork."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

POOL = ThreadPoolExecutor(1)
"""Of the module: whoever imports it has it."""


class PoolAdapter:
    """An adapter that asks its pool."""

    input_example = (1.0,)

    def __init__(self) -> None:
        self._pool: Executor = ThreadPoolExecutor(1)
        self._pool.submit(int).result()

    @classmethod
    def load(cls, bundle: Path) -> Self:
        return cls()

    def predict(self, rows: Any) -> list[float]:
        return [self._pool.submit(lambda each: each * 2, row).result(timeout=20) for row in rows]


class PoolEstimator:
    """An estimator whose module's pool has begun to work when it was loaded."""

    def fit(self, x: Any, y: Any = None) -> Self:
        return self

    def __setstate__(self, state: Any) -> None:
        POOL.submit(int).result()

    def __getstate__(self) -> dict[str, Any]:
        return {"any": 1}

    def predict(self, x: Any) -> Any:
        return POOL.submit(lambda: [2.0 * each[0] for each in x]).result(timeout=20)
