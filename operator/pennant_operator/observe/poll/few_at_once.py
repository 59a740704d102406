"""Asks about one thing after the other, a few at the same time.

A server of several workers answers as many, and MLflow's default ones let each request of a kept
connection wait for 40 ms in which they do nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
CONCURRENCY_LIMIT = 4  # questions to one registry at the same time


async def few_at_once(ask: Callable[[T], Awaitable[None]], things: Iterable[T]) -> None:
    """Ask about each; what one of them raises ends the others, and is raised."""
    waiting = iter(things)

    async def some() -> None:
        for thing in waiting:
            await ask(thing)

    # No TaskGroup: before Python 3.13 its caller counts as cancelled once a task of it has failed,
    # and before 3.11.4 a time-out that is entered later then ends as a cancellation.
    asking = [asyncio.ensure_future(some()) for _ in range(CONCURRENCY_LIMIT)]
    try:
        await asyncio.gather(*asking)
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
