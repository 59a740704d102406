"""Reconciling and sending: neither waits for the other."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from pennant_operator.kube import ApiError
from pennant_testing.jumping_clock import at_once
from pennant_testing.memory.object_builders import REGISTRY, version
from pennant_testing.memory.receivers import notifier
from pennant_testing.memory.reconciled_world import KEY, ReconciledWorld

pytestmark = pytest.mark.unit

ENTRY = {
    "id": "c0ffee",
    "occasion": "Serving",
    "registry": "default",
    "model": "news",
    "version": "7",
    "time": "2026-11-21T12:00:00Z",
    "to": ["slack"],
}


def world_with(*entries: dict[str, Any]) -> ReconciledWorld:
    """What waits was written by an operator before this one."""
    world = ReconciledWorld(version(7))
    world.registry = replace(REGISTRY, notifiers=(notifier(),))
    status = {"observedGeneration": 1, "notifications": [*entries]}
    meta = {**world.own["metadata"], "resourceVersion": "2"}
    world.store.put({**world.own, "metadata": meta, "status": status})
    return world


async def sending(world: ReconciledWorld) -> None:
    """For a while."""

    async def report() -> None:
        """Nobody looks at it."""

    task = asyncio.create_task(world.courier.run("default", notifier(), report))
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_what_was_sent_is_out_of_the_status_with_the_next_write():
    async def scenario() -> None:
        world = world_with(ENTRY)
        await world.handle()
        assert [each["id"] for each in world.status()["notifications"]] == ["c0ffee"]
        await sending(world)
        assert world.receivers.texts("slack") == ["team/rec: version 7 of news serves"]
        await world.handle()
        assert "notifications" not in world.status()
        assert world.courier.sent(KEY) == frozenset()
        await sending(world)
        assert len(world.receivers.taken) == 1

    at_once(scenario())


def test_what_cannot_be_reconciled_is_sent_all_the_same():
    async def scenario() -> None:
        world = world_with(ENTRY)
        world.api.fault = lambda method, path: ApiError(403, "Forbidden", "exceeded quota")
        await world.handle()
        await sending(world)
        assert len(world.receivers.taken) == 1
        await world.handle(times=3)  # that it was cannot be written either
        await sending(world)
        assert len(world.receivers.taken) == 1
        world.api.fault = lambda method, path: None
        await world.handle()
        assert "notifications" not in world.status()

    at_once(scenario())


@pytest.mark.parametrize("part", [*ENTRY])
def test_an_entry_that_somebody_mangled_stops_nothing(part: str):
    mangled = {name: value for name, value in ENTRY.items() if name != part}

    async def scenario() -> None:
        world = world_with(mangled, {**ENTRY, "id": "whole"})
        await world.handle(times=2)
        await sending(world)
        assert "team/rec: version 7 of news serves" in world.receivers.texts("slack")
        assert world.status()["desired"]["version"] == "7"

    at_once(scenario())
