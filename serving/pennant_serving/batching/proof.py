"""Tried once at the start, on the model's own example: may its requests be predicted together, and
which sizes are short enough for the event loop?"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from pennant_serving.batching import joining
from pennant_serving.batching.runner import Runner
from pennant_serving.batching.running import attempt
from pennant_serving.batching.speed import PROOFS

CLOSE = 1e-4
"""Relative. Libraries add in another order when there are more rows."""
TRIES = 4 * PROOFS
"""Runs of one size: a busy machine makes some of them long."""


def answers_row_by_row(predict: Callable[[Any], Any], value: Any, rows: int) -> bool:
    """Whether the answer to some rows is the same beside other rows. Asks the model three times."""
    single = joining.part(value, 0, 1)
    try:
        alone, first = predict(value), predict(single)
        together = predict(joining.join([value, single]))
        joining.check(alone, rows)
        parts = joining.split(together, [rows, 1])
        return same(parts[0], alone) and same(parts[1], first)
    except Exception:  # noqa: BLE001 - it answered its example, but not this: then not together
        return False


def measure(runner: Runner, value: Any, rows: int, most: int) -> None:
    """Let the runner learn how long batches take, up to `most` rows or to the first long one."""
    size = 1
    while size <= most:
        batch = joining.part(joining.join([value] * -(-size // rows)), 0, size)
        if not _is_short(runner, batch, size):
            return
        size *= 2


def _is_short(runner: Runner, batch: Any, size: int) -> bool:
    for _ in range(TRIES):
        # Of all threads: some libraries start their own, and nothing else runs yet.
        started = time.process_time()
        if attempt(runner.predict, lambda: batch).error is not None:
            return False
        runner.speed.tried(size, time.process_time() - started)
        if runner.speed.proved(size):
            return True
    runner.speed.forget(size)
    return False


def same(one: Any, other: Any) -> bool:
    """Equal up to rounding."""
    if isinstance(one, dict):
        return all(same(one[name], other[name]) for name in other) and one.keys() == other.keys()
    if hasattr(one, "columns"):
        return list(one.columns) == list(other.columns) and same(one.to_numpy(), other.to_numpy())
    a, b = np.asarray(one), np.asarray(other)
    if a.shape != b.shape or a.dtype.kind != b.dtype.kind:
        return False
    if a.dtype.kind in "fc":
        return bool(np.allclose(a, b, rtol=CLOSE, equal_nan=True))
    return bool(np.array_equal(a, b))
