"""The self-test: a model answers its own input example, as a request would, before it is ready."""

from __future__ import annotations

from typing import Any

from pennant_serving.codecs import invocations, v2
from pennant_serving.codecs.outputs import Output, outputs_of
from pennant_serving.errors import ServingError
from pennant_serving.failures import PodError, Reason
from pennant_serving.model.model import Model
from pennant_serving.rows import Prepared, Rows

Heads = tuple[dict[str, Any], ...]
"""Name, datatype and shape of each output."""
WARM_UP_RUNS = 3
"""The first answer of most libraries is a hundred times slower than the third."""


async def self_test(model: Model, mode: str) -> Heads | None:
    """The outputs that the model answered its example with; None when there was none to try. The
    mode is IfPresent, Required or Off. Raises PodError."""
    if mode == "Off":
        return None
    rows = example_of(model)
    if rows is None:
        if mode == "Required":
            raise _failed(model, "it has none, and serving.selfTest is Required: log one with it")
        return None
    for _ in range(WARM_UP_RUNS):
        heads = await _answer(model, rows)
    return heads


def example_of(model: Model) -> Rows | Prepared | None:
    """The rows that the adapter gives as an example. Raises PodError when they cannot be read."""
    try:
        example = model.adapter.input_example
        return example if example is None or isinstance(example, Prepared) else Rows.of(example)
    except Exception as error:
        raise _failed(model, f"it cannot be read: {type(error).__name__}: {error}") from error


async def _answer(model: Model, rows: Rows | Prepared) -> Heads:
    request = v2.InferRequest(Rows(()), id=None, outputs=())
    try:
        result = await model.predict(rows)
        invocations.encode(result)
        v2.encode(result, request, model.name, model.version)
        return tuple(_head(each, len(rows)) for each in outputs_of(result, ()))
    except ServingError as error:
        raise _failed(model, str(error)) from error


def _head(output: Output, rows: int) -> dict[str, Any]:
    """An output as V2's metadata tell it: of any number of rows."""
    first, *rest = output.shape
    return output.head | {"shape": [-1 if first == rows else first, *rest]}


def _failed(model: Model, problem: str) -> PodError:
    subject = f"version {model.version} of {model.name} does not answer its input example"
    return PodError(Reason.SELF_TEST_FAILED, f"{subject}: {problem}")
