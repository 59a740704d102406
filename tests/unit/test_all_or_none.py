"""What has no end is not missed in silence: one part that ends unasked ends everything, loudly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from builders import NOW
from jumping_clock import at_once

from pennant_operator.all_or_none import EndedError, all_or_none
from pennant_operator.observe.followed import Around
from pennant_operator.observe.registries import Registries
from pennant_operator.observe.store import Store
from pennant_operator.run.queue import WorkQueue, work

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


class Api:
    """One ModelRegistry, whose Secret cannot be read without a cancellation that gets out."""

    async def list(self, kind: str, namespace: str, selector: str) -> list[dict[str, Any]]:
        metadata = {"name": "default", "namespace": namespace, "uid": "u", "generation": 1}
        spec = {"url": "http://mlflow.example", "credentialsSecret": "login"}
        return [{"metadata": metadata, "spec": spec}]

    async def get(self, kind: str, namespace: str, name: str) -> None:
        await leak()


def test_a_poller_that_is_cancelled_from_inside_ends_the_following_of_all_registries():
    async def write_status(live: dict[str, Any], status: dict[str, Any]) -> None:
        return None

    api: Any = Api()
    registries = Registries(
        Around(
            api=api,
            store=Store(),
            namespace="pennant-system",
            enqueue=lambda _, *, urgent=False: None,
            write_status=write_status,
            counts=Uncounted(),
            now=lambda: NOW,
            random=lambda: 0.5,
        )
    )

    async def scenario() -> None:
        with pytest.raises(ExceptionGroup) as raised:
            await asyncio.wait_for(registries.run(), 60)
        (error,) = raised.value.exceptions
        assert isinstance(error, EndedError)
        assert "the poller of ModelRegistry default" in str(error)

    at_once(scenario())


class Uncounted:
    """Counts nothing."""

    def answered(self, registry: str, at: object) -> None: ...
    def requested(self, registry: str, status: int, seconds: float) -> None: ...
    def forget(self, registry: str) -> None: ...
