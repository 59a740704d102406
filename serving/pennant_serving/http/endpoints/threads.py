"""Plain functions of starlette's under the limits of the model.

starlette runs a `def` endpoint, and an exception handler or generator that is plain, in threads
that have no limit but their number: nobody says how many may wait, a time-out does not exist, and
one that never ends is not missed. It has no setting for that. All of them go through
`starlette.concurrency`, which calls `anyio.to_thread.run_sync`; what it calls instead is here, and
a test fails when another starlette does not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, copy_context
from types import SimpleNamespace
from typing import Any

import anyio.to_thread
import starlette.concurrency

from pennant_serving.batching.batcher import Batcher

of_model: ContextVar[Batcher | None] = ContextVar("of_model", default=None)
"""Whose threads the functions of the current request are called in; None leaves it to starlette."""


def divert() -> None:
    """From now on, and in this process, functions go where `of_model` says."""
    there = SimpleNamespace(to_thread=SimpleNamespace(run_sync=_run_sync))
    vars(starlette.concurrency)["anyio"] = there


async def _run_sync(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    batcher = of_model.get()
    if batcher is None:
        return await anyio.to_thread.run_sync(function, *arguments, **options)
    context = copy_context()

    def attempt() -> tuple[Any, Exception | None]:
        """Its own errors stay what they are: starlette's HTTPException is an answer."""
        try:
            return context.run(function, *arguments), None
        except Exception as error:  # noqa: BLE001 - raised again below
            return None, error

    result, raised = await batcher.aside(attempt)
    if raised is not None:
        raise raised
    return result
