"""The threads of a model and of its codecs."""

from __future__ import annotations

import asyncio
import threading
import weakref

import pytest

from pennant_serving.batching.pool import Pool

pytestmark = pytest.mark.unit
WAIT_SECONDS = 30


class Body:
    """A request's."""


def test_who_leaves_before_the_turn_leaves_nothing_in_the_line():
    async def leave() -> bool:
        pool, busy, body = Pool(1), threading.Event(), Body()
        first = pool.start(busy.wait, WAIT_SECONDS)
        waiting, seen = pool.start(id, body), weakref.ref(body)
        del body
        waiting.cancel()
        await asyncio.wait([waiting])
        is_gone = seen() is None
        busy.set()
        await first
        return is_gone

    assert asyncio.run(leave())


def test_a_function_has_its_arguments_and_its_errors_are_raised():
    async def both() -> int:
        pool = Pool(1)
        with pytest.raises(ValueError, match="invalid literal"):
            await pool.start(int, "x")
        return await pool.start(int, "7")

    assert asyncio.run(both()) == 7


def test_threads_that_do_not_come_back_are_seen():
    async def seen() -> list[bool]:
        pool, busy = Pool(2), threading.Event()
        started = [threading.Event(), threading.Event()]

        def work(begun: threading.Event) -> None:
            begun.set()
            busy.wait(WAIT_SECONDS)

        first = pool.start(work, started[0])
        await asyncio.to_thread(started[0].wait, WAIT_SECONDS)
        one = pool.stuck(0.0)
        second = pool.start(work, started[1])
        await asyncio.to_thread(started[1].wait, WAIT_SECONDS)
        both, long = pool.stuck(0.0), pool.stuck(WAIT_SECONDS)
        busy.set()
        await asyncio.gather(first, second)
        return [one, both, long, pool.stuck(0.0)]

    assert asyncio.run(seen()) == [False, True, False, False]
