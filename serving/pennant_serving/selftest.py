"""The self-test: a model answers its own input example, as a request would, before it is ready."""

from __future__ import annotations

from pennant_serving.codecs import invocations, v2
from pennant_serving.errors import ServingError
from pennant_serving.failures import PodError, Reason
from pennant_serving.model import Model
from pennant_serving.rows import Prepared, Rows

WARM_UP_RUNS = 3
"""The first answer of most libraries is a hundred times slower than the third."""


async def self_test(model: Model, mode: str) -> bool:
    """Whether there was an example to try; mode is IfPresent, Required or Off. Raises PodError."""
    if mode == "Off":
        return False
    rows = example_of(model)
    if rows is None:
        if mode == "Required":
            raise _failed(model, "it has none, and serving.selfTest is Required: log one with it")
        return False
    for _ in range(WARM_UP_RUNS):
        await _answer(model, rows)
    return True


def example_of(model: Model) -> Rows | Prepared | None:
    """The rows that the adapter gives as an example. Raises PodError when they cannot be read."""
    try:
        example = model.adapter.input_example
        return example if example is None or isinstance(example, Prepared) else Rows.of(example)
    except Exception as error:
        raise _failed(model, f"it cannot be read: {type(error).__name__}: {error}") from error


async def _answer(model: Model, rows: Rows | Prepared) -> None:
    request = v2.InferRequest(Rows(()), id=None, outputs=())
    try:
        result = await model.predict(rows)
        invocations.encode(result)
        v2.encode(result, request, model.name, model.version)
    except ServingError as error:
        raise _failed(model, str(error)) from error


def _failed(model: Model, problem: str) -> PodError:
    subject = f"version {model.version} of {model.name} does not answer its input example"
    return PodError(Reason.SELF_TEST_FAILED, f"{subject}: {problem}")
