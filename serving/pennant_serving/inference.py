"""What both transports of V2 do with a request between its codec and the model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from pennant_serving.batching import weight
from pennant_serving.codecs.v2 import InferRequest
from pennant_serving.errors import InvalidInput, NoSuchModel, TimedOut
from pennant_serving.model.model import Model
from pennant_serving.rows import Prepared, Rows
from pennant_serving.sampling import record
from pennant_serving.settings import Settings

T = TypeVar("T")


async def answer(model: Model, asked: InferRequest, protocol: str) -> Any:
    """The model's answer. Raises as `Model.predict` does.

    Of the request's parameters those reach the model that its signature calls its params: the
    others are the protocol's, or another server's.
    """
    mlmodel = model.bundle.mlmodel
    known = {each["name"] for each in mlmodel.params} if mlmodel else set()
    params = {name: value for name, value in asked.parameters.items() if name in known}
    record.asked(model, asked.rows, asked.tensors)
    try:
        result = await model.outputs(asked.rows, asked.outputs, protocol, params or None)
    except InvalidInput as error:
        raise model.unfit(error, asked.rows, asked.tensors) from error
    record.answered(result, asked.outputs)
    return result


def decoded(
    model: Model, decode: Callable[..., T], body: bytes, *more: Any
) -> Coroutine[Any, Any, T]:
    """What a codec makes of a body, which nobody need keep meanwhile. Raises as the codec does."""
    return worked(model, weight.of_body(body), decode, body, *more)


def encoded(
    model: Model, asked: Rows | Prepared, encode: Callable[..., T], result: Any, *more: Any
) -> Coroutine[Any, Any, T]:
    """What a codec makes of a result. Raises as the codec does.

    Many rows are freed where they were decoded, for it takes a tenth of that: whoever calls this
    lets go of them, and of the result, before awaiting it.
    """
    values = max(weight.of_value(result), weight.of_value(asked.raw))
    return worked(model, values, _last, asked, encode, result, *more)


def _last(_asked: Rows | Prepared, encode: Callable[..., T], *arguments: Any) -> T:
    return encode(*arguments)


async def worked(model: Model, values: int, function: Callable[..., T], *arguments: Any) -> T:
    """What a function of so many values returns: of many from a thread, so that others go on."""
    if values <= weight.MOMENT_VALUES:
        return function(*arguments)
    future = model.codecs.start(function, *arguments)
    del arguments  # the thread is the last that has them
    return await future


@asynccontextmanager
async def in_time(model: Model) -> AsyncIterator[None]:
    """For all that is done between a request and its answer. Raises TimedOut when it takes longer
    than a request may."""
    seconds = model.batcher.limits.timeout
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise TimedOut(f"no answer within {seconds:g} s") from None


def check_identity(settings: Settings, name: str, version: str | None) -> None:
    """Raises NoSuchModel: a client that asks for a version must never get another one's answer."""
    asked = (name, version or settings.version)
    if asked != (settings.model, settings.version):
        raise NoSuchModel(
            f"there is no version {asked[1]} of {asked[0]} here: this server has version"
            f" {settings.version} of {settings.model}"
        )
