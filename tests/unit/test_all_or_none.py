"""What has no end is not missed in silence: one part that ends unasked ends everything, loudly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pennant_operator.all_or_none import EndedError, all_or_none
from pennant_operator.run.queue import WorkQueue, work
from pennant_testing.jumping_clock import at_once

pytestmark = pytest.mark.unit


async def leak() -> None:
    raise asyncio.CancelledError("of something inside of it")


async def end() -> None:
    return


@pytest.mark.parametrize("how", [leak, end])
def test_a_part_that_is_cancelled_from_inside_or_returns_ends_the_others_and_is_named(
    how: Callable[[], Awaitable[None]],
):
    ended: list[str] = []

    async def other() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("other")

    async def one() -> None:
        await asyncio.sleep(1)
        await how()

    async def scenario() -> None:
        with pytest.raises(EndedError, match="the one ended"):
            await asyncio.wait_for(all_or_none({"the one": one(), "the other": other()}), 60)
        assert ended == ["other"]

    at_once(scenario())


def test_what_a_part_raises_is_raised_as_it_is_and_leaves_the_caller_uncancelled():
    async def fail() -> None:
        raise KeyError("a fault")

    async def scenario() -> None:
        with pytest.raises(KeyError, match="a fault"):
            await all_or_none({"one": fail(), "other": asyncio.sleep(3600)})
        assert asyncio.current_task().cancelling() == 0

    at_once(scenario())


def test_who_is_asked_to_end_ends_as_asked():
    async def scenario() -> None:
        running = asyncio.create_task(all_or_none({"one": asyncio.sleep(3600)}))
        await asyncio.sleep(1)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()

    at_once(scenario())


def test_a_worker_that_is_cancelled_from_inside_ends_the_work():
    async def scenario() -> None:
        queue = WorkQueue[str]()
        queue.add("a")
        with pytest.raises(EndedError, match="worker 0 ended"):
            await asyncio.wait_for(work(queue, 2, lambda _: leak()), 60)

    at_once(scenario())
