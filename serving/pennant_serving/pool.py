"""Blocking work off the event loop: a few threads, and a queue that says no when it is full."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from pennant_serving.errors import Unavailable

THREADS = 4
QUEUE = 256
"""Calls that may wait. At 1 ms each, the last has waited for a quarter of a second."""

T = TypeVar("T")


class Pool:
    """Runs functions in threads; more than the queue holds are refused at once."""

    def __init__(self, threads: int = THREADS, queue: int = QUEUE) -> None:
        self.threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="predict")
        self._room = threads + queue
        self._inside = 0

    def start(self, function: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        """The function's future; for callers that limit themselves."""
        return asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """What the function returns. Raises Unavailable when the queue is full."""
        if self._inside >= self._room:
            raise Unavailable(f"{self._room} requests are being answered or waiting already")
        self._inside += 1
        try:
            return await self.start(function, *arguments)
        finally:
            self._inside -= 1
