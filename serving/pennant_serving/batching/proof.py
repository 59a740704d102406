"""Tried once at the start, on the model's own example: is there a sign that its requests must not
be predicted together, and which sizes are short enough for the event loop?

No example proves that a row's answer never depends on its neighbours. It can prove that one does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pennant_serving.batching import joining
from pennant_serving.batching.joining import Ambiguous
from pennant_serving.batching.neighbours import different, order, tiled
from pennant_serving.batching.runner import Runner
from pennant_serving.batching.running import attempt
from pennant_serving.batching.speed import PROVING_RUNS

CLOSE = {"f2": 1e-2, "f4": 1e-4, "f8": 1e-6}
"""Relative, by the answers' type. Libraries add in another order when there are more rows."""
RUNS_PER_SIZE = 4 * PROVING_RUNS
"""Runs of one size: a busy machine makes some of them long."""
EXAMPLE_ROWS = 4
"""Rows of the example that are tried."""
NEIGHBOURS_SECONDS = 2.0
"""After which no more neighbours are tried: a model that is this slow must start, too."""
CHANGED = "the answer to a row of the example changes beside other rows"

Predict = Callable[[Any], Any]


def why_not(predict: Predict, value: Any, rows: int, *, lists: bool) -> str:
    """Why requests must not be predicted together; empty when the example shows no reason."""
    value, rows = joining.part(value, 0, min(rows, EXAMPLE_ROWS)), min(rows, EXAMPLE_ROWS)
    singles = [joining.part(value, place, place + 1) for place in range(rows)]
    try:
        alone = [predict(each) for each in singles]
        beside = _beside(predict, value, singles, lists=lists)
        changed = (not same(answer, alone[place]) for place, answer in beside)
        return CHANGED if any(changed) else ""
    except Exception as error:  # noqa: BLE001 - it answered its example, but not this
        return (
            f"rows of the example cannot be asked in another way: {type(error).__name__}: {error}"
        )


def _beside(
    predict: Predict, value: Any, singles: list[Any], *, lists: bool
) -> Iterator[tuple[int, Any]]:
    """The answers to rows, by their place in the example, among others and in other orders."""
    rows = len(singles)
    yield from enumerate(_each(predict, value, rows, lists=lists))
    turned = order(value, list(reversed(range(rows))))
    yield from zip(reversed(range(rows)), _each(predict, turned, rows, lists=lists), strict=True)
    started = time.perf_counter()
    for before in different(value):
        if time.perf_counter() - started > NEIGHBOURS_SECONDS:
            return
        after = joining.part(before, 0, 1)
        batch, first = joining.join([before, value, after]), len(before)
        try:
            answers = _each(predict, batch, first + rows + 1, lists=lists)
        except joining.NotOneEach:
            raise
        except Exception:  # noqa: BLE001, S112 - values that were made up it may refuse
            continue
        yield from enumerate(answers[first : first + rows])


def _each(predict: Predict, value: Any, rows: int, *, lists: bool) -> list[Any]:
    """The answer to each row. Raises NotOneEach, and what the model raises."""
    try:
        return joining.split(predict(value), [1] * rows, lists=lists)
    except Ambiguous:  # one row more will tell
        longer = joining.join([value, joining.part(value, 0, 1)])
        return joining.split(predict(longer), [1] * (rows + 1), lists=lists)[:rows]


def measure(runner: Runner, value: Any, rows: int, most: int) -> None:
    """Let the runner learn how long batches take, up to `most` rows or to the first long one."""
    size = 1
    while size <= most:
        if not _is_short(runner, tiled(value, rows, size), size):
            return
        size *= 2


def _is_short(runner: Runner, batch: Any, size: int) -> bool:
    for _ in range(RUNS_PER_SIZE):
        # Of all threads: some libraries start their own, and nothing else runs yet.
        effort, started = time.process_time(), time.perf_counter()
        if attempt(runner.predict, lambda: batch).error is not None:
            return False
        seconds = time.perf_counter() - started
        runner.speed.tried(size, time.process_time() - effort, seconds)
        if runner.speed.proved(size):
            return True
    runner.speed.forget(size)
    return False


def same(one: Any, other: Any) -> bool:
    """Equal up to rounding."""
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and one.keys() == other.keys()
            and all(same(one[name], other[name]) for name in other)
        )
    if hasattr(one, "columns"):
        return list(one.columns) == list(other.columns) and same(one.to_numpy(), other.to_numpy())
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    a, b = np.asarray(one), np.asarray(other)
    if a.shape != b.shape or a.dtype.kind != b.dtype.kind:
        return False
    if a.dtype.kind in "fc":
        close = CLOSE.get(min(a.dtype, b.dtype).str[1:], 1e-6)
        largest = np.abs(b[np.isfinite(b)]).max(initial=0)
        return bool(np.allclose(a, b, rtol=close, atol=close * largest, equal_nan=True))
    return bool(np.array_equal(a, b))
