"""The work queue, on a clock that jumps."""

import asyncio
import re

import pytest

from pennant_operator.run.queue import WorkQueue, work
from pennant_testing.jumping_clock import at_once

pytestmark = pytest.mark.unit


async def nothing_waits(queue: WorkQueue[str], seconds: float) -> bool:
    try:
        await asyncio.wait_for(queue.get(), seconds)
    except TimeoutError:
        return True
    return False


def test_a_key_added_twice_is_worked_on_once():
    async def scenario() -> None:
        queue = WorkQueue[str]()
        queue.add("a")
        queue.add("a")
        assert await queue.get() == "a"
        queue.done("a")
        assert await nothing_waits(queue, 100)

    at_once(scenario())


def test_what_a_person_did_comes_before_what_a_poll_brought():
    async def scenario() -> None:
        queue = WorkQueue[str]()
        for key in ("polled", "both", "also polled"):
            queue.add(key)
        queue.add("both", urgent=True)
        queue.add("edited", urgent=True)
        queue.add("edited")
        order = [await queue.get() for _ in range(4)]
        assert order == ["both", "edited", "polled", "also polled"]

    at_once(scenario())


def test_of_many_that_are_moved_together_the_last_begins_before_the_first_goes_on():
    async def scenario() -> None:
        queue, followers = WorkQueue[int](), range(20)
        for key in followers:
            queue.add(key, urgent=True)
        began: list[int] = []
        for _ in followers:
            began.append(await queue.get())
            queue.add(began[-1], urgent=True)  # its own Deployment changed
            queue.done(began[-1])
        assert began == list(followers)

    at_once(scenario())


def test_a_key_that_became_urgent_while_it_was_worked_on_comes_first():
    async def scenario() -> None:
        queue = WorkQueue[str]()
        queue.add("a")
        assert await queue.get() == "a"
        queue.add("b")
        queue.add("a", urgent=True)
        queue.add("a")
        queue.done("a")
        assert [await queue.get(), await queue.get()] == ["a", "b"]
        assert len(queue) == 0

    at_once(scenario())


def test_a_key_added_while_it_is_worked_on_comes_again_afterwards_and_not_before():
    async def scenario() -> None:
        queue = WorkQueue[str]()
        queue.add("a")
        await queue.get()
        queue.add("a")
        queue.add("a")
        assert await nothing_waits(queue, 100)
        queue.done("a")
        assert await queue.get() == "a"
        queue.done("a")
        assert await nothing_waits(queue, 100)

    at_once(scenario())


def test_keys_come_in_the_order_they_were_added():
    async def scenario() -> None:
        queue = WorkQueue[str]()
        for key in "cab":
            queue.add(key)
        assert [await queue.get() for _ in range(3)] == ["c", "a", "b"]

    at_once(scenario())


def test_a_delayed_key_waits_for_its_time_and_the_earliest_counts():
    async def scenario() -> None:
        queue, loop = WorkQueue[str](), asyncio.get_running_loop()
        queue.add_after("late", 60)
        queue.add_after("a", 30)
        queue.add_after("a", 5)
        queue.add_after("a", 10)
        assert await queue.get() == "a"
        assert loop.time() == pytest.approx(5)
        queue.done("a")
        assert await queue.get() == "late"
        assert loop.time() == pytest.approx(60)

    at_once(scenario())


def test_a_key_that_is_taken_earlier_does_not_come_at_its_old_time_too():
    async def scenario() -> None:
        queue = WorkQueue[str]()
        queue.add_after("a", 30)
        queue.add("a")
        await queue.get()
        queue.done("a")
        assert await nothing_waits(queue, 100)

    at_once(scenario())


def test_a_delay_of_nothing_is_now():
    async def scenario() -> None:
        queue = WorkQueue[str]()
        queue.add_after("a", 0)
        assert len(queue) == 1

    at_once(scenario())


def test_workers_work_on_many_keys_at_once_but_never_twice_on_one():
    async def scenario() -> None:
        queue, busy, most, handled = WorkQueue[str](), set(), 0, []

        async def handle(key: str) -> None:
            nonlocal most
            assert key not in busy
            busy.add(key)
            most = max(most, len(busy))
            await asyncio.sleep(1)
            busy.discard(key)
            handled.append(key)

        task = asyncio.create_task(work(queue, 4, handle))
        for key in "abcdefgh":
            queue.add(key)
        await asyncio.sleep(0.5)
        queue.add("a")
        await asyncio.sleep(10)
        task.cancel()
        assert most == 4
        assert sorted(handled) == sorted("abcdefgha")

    at_once(scenario())


def test_others_get_their_turn_between_any_two_keys_of_a_worker():
    turns: list[str] = []

    async def handle(key: str) -> None:
        turns.append(key)

    async def scenario() -> None:
        queue = WorkQueue[str]()
        for key in "abc":
            queue.add(key)
        working = asyncio.create_task(work(queue, 1, handle))
        while len(turns) < 20:
            turns.append("-")
            await asyncio.sleep(0)
        working.cancel()
        assert re.search("a-+b-+c-", "".join(turns))

    at_once(scenario())


def test_a_fault_of_a_worker_ends_the_work():
    async def scenario() -> None:
        async def handle(key: str) -> None:
            raise KeyError(key)

        queue = WorkQueue[str]()
        queue.add("a")
        with pytest.raises(KeyError):
            await work(queue, 2, handle)

    at_once(scenario())
