"""Asks about one thing after the other, a few at the same time.

A server of several workers answers as many, and MLflow's default ones let each request of a kept
connection wait for 40 ms in which they do nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
FEW = 4


async def few_at_once(ask: Callable[[T], Awaitable[None]], things: Iterable[T]) -> None:
    """Ask about each; what one of them raises ends the others, and is raised."""
    waiting = iter(things)

    async def some() -> None:
        for thing in waiting:
            await ask(thing)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(FEW):
                group.create_task(some())
    except ExceptionGroup as errors:
        # The first is what went wrong; nobody who catches it knows of groups.
        raise errors.exceptions[0]  # noqa: B904 - it has a cause of its own
