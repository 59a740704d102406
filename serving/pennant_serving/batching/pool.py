"""Blocking work off the event loop: a few threads. The batcher says how much may wait for those of
the model, admission for those of the codecs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import get_ident
from typing import Any, TypeVar

PREDICT_THREADS = 4
CODEC_THREADS = 2
"""For large bodies and answers. They hold the interpreter's lock, so more would be no faster; and
what they do ends soon, unlike a prediction, so nobody need wait behind one."""

T = TypeVar("T")


class Pool:
    """Runs functions in threads."""

    def __init__(self, threads: int = PREDICT_THREADS, name: str = "predict") -> None:
        self.threads = threads
        self._begun: dict[int, float] = {}
        """When each busy thread began what it does, by its identity."""
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)

    def start(self, function: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        """The future of what the function returns or raises. What is cancelled before it has begun
        lets go of its arguments then, and not when its turn comes."""
        waiting = [(function, arguments)]

        def begin() -> T:
            function, arguments = waiting.pop()
            self._begun[get_ident()] = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                del self._begun[get_ident()]

        future = asyncio.get_running_loop().run_in_executor(self._executor, begin)
        future.add_done_callback(lambda _: waiting.clear())
        return future

    def stuck(self, seconds: float) -> bool:
        """All threads have been in one function each for longer than this."""
        moment = time.perf_counter() - seconds
        return sum(begun < moment for begun in [*self._begun.values()]) >= self.threads


def codec_pool() -> Pool:
    """The threads for what is more than a moment's work."""
    return Pool(CODEC_THREADS, "codec")
