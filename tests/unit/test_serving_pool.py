"""The threads of a model and of its codecs."""

from __future__ import annotations

import asyncio
import threading
import weakref

import pytest

from pennant_serving.pool import Pool

pytestmark = pytest.mark.unit
PATIENCE = 30


class Body:
    """A request's."""


def test_who_leaves_before_the_turn_leaves_nothing_in_the_line():
    async def leave() -> bool:
        pool, busy, body = Pool(1), threading.Event(), Body()
        first = pool.start(busy.wait, PATIENCE)
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
