"""What is said of a reconcile: in the log, and in events that are not repeated."""

from __future__ import annotations

import logging
import re

import pytest

from pennant_operator.act.events import truncated
from pennant_operator.kube import ApiError
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.reconciled_world import ReconciledWorld, run_scenario

pytestmark = pytest.mark.unit


def test_the_log_tells_what_every_event_does(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)

    async def scenario(world: ReconciledWorld) -> None:
        await world.handle()
        assert [each["reason"] for each in world.api.events] == ["AliasMoved", "RolloutStarted"]
        for event in world.api.events:
            line = f"team/rec: {event['reason']}: {event['message']}"
            assert [r.getMessage() for r in caplog.records].count(line) == 1
        names = [event["metadata"]["name"] for event in world.api.events]
        assert names == sorted(set(names))

    run_scenario(scenario)


def test_what_happens_again_is_told_again_and_what_is_decided_again_is_not():
    """An alias goes back and forth within minutes; a status is not taken at first."""

    async def scenario(world: ReconciledWorld) -> None:
        for number in (8, 7, 8, 7):
            world.desired = version(number)
            world.api.fault = lambda method, path: (
                ApiError(500, "InternalError", "no leader") if path.endswith("/status") else None
            )
            await world.handle(times=2)
            world.api.fault = lambda method, path: None
            await world.handle(times=2)
        moves = [e["message"] for e in world.api.events if e["reason"] == "AliasMoved"]
        assert [re.sub(" of news", "", move) for move in moves] == [
            "alias production points at version 8",
            "alias production points at version 7 (was 8)",
            "alias production points at version 8 (was 7)",
            "alias production points at version 7 (was 8)",
        ]

    run_scenario(scenario)


def test_a_record_that_cannot_be_read_is_told_once_whatever_else_changes():
    async def scenario(world: ReconciledWorld) -> None:
        await world.handle()
        record = next(o for p, o in world.api.objects.items() if "controllerrevisions" in p)
        world.store.put({**record, "data": {}, "metadata": record["metadata"] | {
            "name": "rec-x", "uid": "x", "resourceVersion": "800"}})  # fmt: skip
        for number in (8, 7, 8):
            world.desired = version(number)
            await world.handle(times=2)
        reasons = [e["reason"] for e in world.api.events]
        assert reasons.count("RecordUnreadable") == 1

    run_scenario(scenario)


@pytest.mark.parametrize("text", ["a" * 2000, "ä" * 800, "語" * 500, "🚩" * 300, "\ud800" * 2000])
def test_a_note_is_cut_at_bytes_between_characters_and_says_so(text: str):
    found = truncated(text, 1024)
    assert 1020 <= len(found.encode()) <= 1024
    assert found.endswith("…")
    assert text.encode(errors="replace").decode().startswith(found[:-1])


@pytest.mark.parametrize("text", ["", "a" * 1024, "ä" * 512])
def test_what_has_room_is_not_cut(text: str):
    assert truncated(text, 1024) == text
