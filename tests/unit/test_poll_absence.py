"""An absence, which some act on (law 2): seen twice, five seconds apart."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.mlflow.answers import RegisteredVersion
from pennant_operator.observe.poll.known import ABSENCE_CONFIRMATION_SECONDS, Known
from pennant_operator.observe.poll.poll import Poll
from pennant_testing.jumping_clock import at_once
from pennant_testing.mlflow.poll_answers import answers, unresolved
from pennant_testing.mlflow.pretended_registries import (
    BAD,
    ERRORS,
    WATCHES,
    LyingRegistry,
    polled,
    versions,
)

pytestmark = pytest.mark.unit


def test_an_alias_that_is_removed_and_set_again_a_second_later_was_never_absent():
    async def scenario(lying: LyingRegistry, poll: Poll) -> None:
        await poll.ask(WATCHES)
        del lying.aliases[BAD.model]
        for _ in range(3):  # a webhook, a new watch and a poll, all at once
            await poll.ask(WATCHES)
        await asyncio.sleep(1)
        lying.aliases[BAD.model] = "7"
        await poll.ask(WATCHES)
        assert poll.known.perhaps_absent() == {}
        await asyncio.sleep(ABSENCE_CONFIRMATION_SECONDS)
        del lying.aliases[BAD.model]
        await poll.ask(WATCHES)  # the first sight again

    _, known = polled(scenario)
    assert versions(known)[BAD.model] == "7"


def test_what_is_absent_is_so_by_a_read_that_comes_five_seconds_after_the_first():
    async def scenario(lying: LyingRegistry, poll: Poll) -> None:
        await poll.ask(WATCHES)
        del lying.aliases[BAD.model]
        for _ in range(5):  # polls of one second do not confirm it earlier
            await poll.ask(WATCHES)
            assert versions(poll.known)[BAD.model] == "7"
            await asyncio.sleep(1)
        await poll.ask(WATCHES)

    _, known = polled(scenario)
    assert answers(known)[BAD].reason == "AliasNotSet"


def test_what_was_never_there_is_told_at_once_and_acted_on_by_nobody():
    async def scenario(lying: LyingRegistry, poll: Poll) -> None:
        del lying.aliases[BAD.model]
        await poll.ask(WATCHES)
        first = unresolved(poll.known)[BAD]
        await asyncio.sleep(ABSENCE_CONFIRMATION_SECONDS)
        await poll.ask(WATCHES)
        sure = answers(poll.known)[BAD]
        assert (first.reason, first.message) == (sure.reason, sure.message)

    polled(scenario)


def test_an_error_between_two_sights_of_an_absence_confirms_nothing():
    async def scenario(lying: LyingRegistry, poll: Poll) -> None:
        await poll.ask(WATCHES)
        del lying.aliases[BAD.model]
        await poll.ask(WATCHES)
        lying.models = {BAD.model: ERRORS["500"]}
        await asyncio.sleep(ABSENCE_CONFIRMATION_SECONDS)
        await poll.ask(WATCHES)
        lying.models = {}
        await poll.ask(WATCHES)

    _, known = polled(scenario)
    assert versions(known)[BAD.model] == "7"


def test_an_idle_poll_asks_once_about_a_pinned_version_that_is_not_there():
    class Without(LyingRegistry):
        async def version(self, model: str, number: str) -> RegisteredVersion | None:
            self.asked.append("version")
            return None

    lying, known = Without(), Known()

    async def scenario() -> None:
        registry: Any = lying
        for _ in range(10):
            await Poll(registry, "3.17.2", known).ask([Watch("default", "m0", version="9")])
            await asyncio.sleep(1)

    at_once(scenario())
    assert lying.taken() == ["model m0", "version"] * 10
