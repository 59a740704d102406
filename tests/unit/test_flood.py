"""What a storm costs: of hooks, of aliases that flap, of rollouts; and who waits for whom."""

import asyncio

import pytest

from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.poll.questions import Questions
from pennant_operator.run.queue import WorkQueue, work
from pennant_operator.token_bucket import TokenBucket
from pennant_testing.jumping_clock import at_once

pytestmark = pytest.mark.unit

WORKERS, WRITES, RATE = 16, 9, 100.0


async def _asked(questions: Questions, took: float, until: float) -> list[set[Watch]]:
    """The turns of a poller between two polls, each of which takes the server so long."""
    turns = []
    while await questions.wait(until):
        _, hinted = questions.take()
        turns.append(hinted)
        await asyncio.sleep(took)
        questions.pause_after(took)
    return turns


@pytest.mark.parametrize("took", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("models", [1, 1000])
def test_hooks_without_end_take_a_fifth_of_a_servers_time_and_lose_no_question(
    took: float, models: int
):
    """An alias that flaps a thousand times a second, and a thousand aliases that move."""

    async def scenario() -> None:
        loop, questions = asyncio.get_running_loop(), Questions()

        async def flood() -> None:
            for number in range(15_000):
                questions.add_hint(Watch("default", f"m{number % models}", alias="production"))
                await asyncio.sleep(0.001)

        began = loop.time()
        flooding = asyncio.create_task(flood())
        turns = await _asked(questions, took, began + 20)
        await flooding
        assert len(turns) <= 1 + 15 / min(5 * took, took + 1) + 1
        assert len(turns) <= 1 + 15 / (took + 0.05) + 1
        assert len(set.union(*turns)) == models
        last = Watch("default", f"m{14_999 % models}", alias="production")
        assert last in turns[-1]

    at_once(scenario())


def test_a_persons_edit_overtakes_a_storm_of_rollouts():
    """Of a promotion that a thousand follow, it waits for what is in hand, and for no more."""

    async def scenario() -> None:
        loop, queue, limiter = asyncio.get_running_loop(), WorkQueue[str](), TokenBucket(RATE, 200)
        done: dict[str, float] = {}

        async def reconcile(key: str) -> None:
            for _ in range(WRITES):
                await limiter.wait()
            done[key] = loop.time()

        for number in range(1000):
            queue.add(f"promoted-{number}")
        working = asyncio.create_task(work(queue, WORKERS, reconcile))
        await asyncio.sleep(10)
        edited = loop.time()
        queue.add("edited", urgent=True)
        await asyncio.sleep(100)
        working.cancel()
        assert len(done) == 1001
        # A worker is free when its key is done; then each write waits for those of the others.
        assert done["edited"] - edited <= 2 * WORKERS * WRITES / RATE

    at_once(scenario())
