"""Blocking work off the event loop: a few threads. The batcher says how much may wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

THREADS = 4

T = TypeVar("T")


class Pool:
    """Runs functions in threads."""

    def __init__(self, threads: int = THREADS) -> None:
        self.threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="predict")

    def start(self, function: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        """The future of what the function returns or raises."""
        return asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)
