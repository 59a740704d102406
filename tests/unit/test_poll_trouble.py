"""Trouble of a registry that begins or ends in the middle of a poll is no model's own.

Whatever the moment: it is tried with every interval of the requests of a poll, in the order of
their arrival at the server, while answers are on their way for longer or shorter.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, TypeVar

import pytest

from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.mlflow.answers import RegisteredModel, RegisteredVersion
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError
from pennant_operator.observe.poll.known import Known
from pennant_operator.observe.poll.poll import Poll
from pennant_operator.observe.poll.retries import FIRST_RETRY_SECONDS
from pennant_operator.observe.poll.version_facts import Identity, Part, version_facts
from pennant_testing.jumping_clock import at_once
from pennant_testing.mlflow.poll_answers import unresolved
from pennant_testing.mlflow.pretended_registries import (
    ERRORS,
    MODELS,
    WATCHES,
    SkippingRegistry,
    versions,
)

pytestmark = pytest.mark.unit

T = TypeVar("T")
SINGLY, SEARCHED = WATCHES[:3], WATCHES
NEVER = range(0)
SERVED, KEY = Identity(MODELS[0], "1", 1), ("team", "rec")


class Interrupted(SkippingRegistry):
    """In trouble for some of the requests that arrive at it."""

    def __init__(self, error: Exception) -> None:
        super().__init__(dict.fromkeys(MODELS, "1"), set())
        self.error = error
        self.trouble = NEVER
        self.arrived = self._sent = 0

    async def search(self, models: Sequence[str]) -> dict[str, RegisteredModel]:
        return await self._on_the_way(super().search(models))

    async def model(self, name: str) -> RegisteredModel:
        return await self._on_the_way(super().model(name))

    async def version(self, model: str, number: str) -> RegisteredVersion:
        found = await self._on_the_way(super().version(model, number))
        return replace(found, run_id=f"run-{number}")

    async def resolve(self, version: RegisteredVersion) -> ModelVersion:
        return await self._on_the_way(super().resolve(version))

    async def metrics_of_run(self, run: str) -> dict[str, float]:
        return await self._on_the_way(_metrics(run))

    async def ping(self) -> None:
        await self._on_the_way(super().ping())

    async def _on_the_way(self, answer: Awaitable[T]) -> T:
        self._sent += 1
        there, back = self._sent * 5 % 7, self._sent * 3 % 5
        await asyncio.sleep(there)
        number, self.arrived = self.arrived, self.arrived + 1
        answered = await answer
        await asyncio.sleep(back)
        if number in self.trouble:
            raise self.error
        return answered


async def _metrics(_run: str) -> dict[str, float]:
    return {"ndcg": 0.5}


def interrupted(watches: list[Watch], trouble: range, error: Exception, known: Known) -> int:
    """One poll; how many requests arrived. Nothing is told, and the next poll finds everything."""
    registry: Any = Interrupted(error)

    async def scenario() -> None:
        registry.trouble = trouble
        with contextlib.suppress(RegistryTroubleError):
            await Poll(registry, "3.17.2", known).ask(watches)
        assert unresolved(known) == {}, trouble
        arrived, registry.trouble = registry.arrived, NEVER
        await asyncio.sleep(2 * FIRST_RETRY_SECONDS)
        await Poll(registry, "3.17.2", known).ask(watches)
        assert versions(known) == {watch.model: "1" for watch in watches}, trouble
        assert all(answer.doubt is None for answer in known.answers.values()), trouble
        registry.arrived = arrived

    at_once(scenario())
    return int(registry.arrived)


@pytest.mark.parametrize("error", ["500", "403", "slow"])
@pytest.mark.parametrize("watches", [SINGLY, SEARCHED], ids=["singly", "searched"])
@pytest.mark.parametrize("before", [None, "1", "2"], ids=["after a restart", "known", "moved"])
def test_trouble_of_a_registry_is_never_told_as_a_models_own(
    watches: list[Watch], before: str | None, error: str
):
    def known() -> Known:
        known = Known()
        if before is not None:
            registry: Any = SkippingRegistry(dict.fromkeys(MODELS, before), set())
            at_once(Poll(registry, "3.17.2", known).ask(watches))
        return known

    requests = interrupted(watches, NEVER, ERRORS[error], known())
    for begin, end in combinations(range(requests + 1), 2):
        interrupted(watches, range(begin, end), ERRORS[error], known())


def every_interval(poll: Callable[[Interrupted], None]) -> None:
    """Poll anew with each interval of trouble; without trouble at last."""
    whole = Interrupted(ERRORS["500"])
    poll(whole)
    for begin, end in combinations(range(whole.arrived + 1), 2):
        registry = Interrupted(ERRORS["500"])
        registry.trouble = range(begin, end)
        poll(registry)


def test_nor_is_it_what_a_gate_is_told_of_a_version():
    def poll(registry: Any) -> None:
        async def scenario() -> None:
            with contextlib.suppress(RegistryTroubleError):
                facts = await version_facts(registry, {}, SERVED, {Part.METRICS})
                assert facts.metrics == {"ndcg": 0.5}, registry.trouble

        at_once(scenario())

    every_interval(poll)


def test_nor_leaves_it_unasked_whether_what_serves_is_there():
    def poll(registry: Any) -> None:
        known = Known()
        known.served.look_up(KEY, SERVED)

        async def scenario() -> None:
            with contextlib.suppress(RegistryTroubleError):
                await Poll(registry, "3.17.2", known).ask_served([SERVED], set)
                assert known.served.look_up(KEY, SERVED) is False, registry.trouble

        at_once(scenario())

    every_interval(poll)
