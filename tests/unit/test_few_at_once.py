"""A few questions at the same time: all are asked, and trouble with one ends the others."""

import asyncio

import pytest

from pennant_operator.observe.poll.few_at_once import CONCURRENCY_LIMIT, few_at_once

pytestmark = pytest.mark.unit


def test_everything_is_asked_once_and_never_more_than_a_few_at_the_same_time():
    asked: list[int] = []
    at_once = most = 0

    async def ask(thing: int) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        asked.append(thing)

    asyncio.run(few_at_once(ask, range(20)))
    assert (sorted(asked), most) == (list(range(20)), CONCURRENCY_LIMIT)


def test_trouble_is_raised_as_it_is_ends_the_others_and_leaves_who_asks_uncancelled():
    ended: list[int] = []

    async def ask(thing: int) -> None:
        try:
            await asyncio.sleep(0 if thing == 1 else 3600)
        finally:
            ended.append(thing)
        raise ValueError("no answer")

    async def asking() -> int:
        with pytest.raises(ValueError, match="no answer"):
            await few_at_once(ask, range(4))
        return asyncio.current_task().cancelling()

    assert asyncio.run(asking()) == 0
    assert sorted(ended) == [0, 1, 2, 3]
