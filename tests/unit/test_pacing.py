"""How fast the operator may go: writes, watches that are opened again, and lists that fail."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from yarl import URL

from pennant_operator.observe.cluster.session import Pacer
from pennant_operator.observe.cluster.watch import LIST_RETRIES_LIMIT, Jittered
from pennant_operator.token_bucket import TokenBucket
from pennant_testing.jumping_clock import at_once

pytestmark = pytest.mark.unit


async def _times(limiter: TokenBucket, count: int) -> list[float]:
    loop, times = asyncio.get_running_loop(), []
    began = loop.time()
    for _ in range(count):
        await limiter.wait()
        times.append(loop.time() - began)
    return times


def test_a_burst_of_writes_goes_at_once_and_what_follows_at_the_rate():
    async def scenario() -> None:
        times = await _times(TokenBucket(rate=10, burst=5), 25)
        assert times[:5] == [0] * 5
        assert times[5:] == pytest.approx([n / 10 for n in range(1, 21)])

    at_once(scenario())


def test_the_burst_comes_back_with_time_and_no_further_than_it_was():
    async def scenario() -> None:
        limiter = TokenBucket(rate=10, burst=5)
        await _times(limiter, 5)
        await asyncio.sleep(0.2)
        assert (await _times(limiter, 3))[1:] == pytest.approx([0, 0.1])
        await asyncio.sleep(3600)
        assert [time > 0 for time in await _times(limiter, 6)] == [False] * 5 + [True]

    at_once(scenario())


def test_writes_that_wait_go_in_the_order_in_which_they_came():
    async def scenario() -> None:
        limiter, went = TokenBucket(rate=10, burst=1), list[int]()

        async def write(number: int) -> None:
            await limiter.wait()
            went.append(number)

        await asyncio.gather(*map(write, range(20)))
        assert went == list(range(20))

    at_once(scenario())


def _request(url: str) -> Any:
    return SimpleNamespace(url=URL(url))


def test_a_watch_that_ends_at_once_is_opened_once_a_second_and_nothing_else_waits():
    async def scenario() -> None:
        loop, pacer, opened = asyncio.get_running_loop(), Pacer(1.0), list[tuple[float, str]]()

        async def send(request: Any) -> Any:
            opened.append((loop.time(), request.url.path))

        for _ in range(5):
            await pacer(_request("https://api/deployments?watch=true"), send)
        assert [time for time, _ in opened] == pytest.approx([0, 1, 2, 3, 4])
        await pacer(_request("https://api/services?watch=true"), send)
        for _ in range(5):
            await pacer(_request("https://api/deployments"), send)
        assert {time for time, _ in opened[5:]} == {opened[4][0]}
        await asyncio.sleep(300)
        await pacer(_request("https://api/deployments?watch=true"), send)
        assert opened[-1][0] == pytest.approx(304)

    at_once(scenario())


def test_a_list_that_fails_is_tried_again_later_each_time_and_not_for_ever():
    pauses = list(Jittered())
    assert len(pauses) == LIST_RETRIES_LIMIT
    assert all(0.8 * 2**n <= pause <= 1.2 * 2**n for n, pause in enumerate(pauses[:5]))
    assert all(24 <= pause <= 36 for pause in pauses[5:])
    assert pauses != list(Jittered())  # operators that lost the same server do not come together
