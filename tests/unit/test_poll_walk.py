"""A registry of which most is followed is walked through, page by page."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence, Set
from typing import Any

import pytest

from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.mlflow.answers import RegisteredModel
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError, TooSlowError
from pennant_operator.observe.poll.known import Known
from pennant_operator.observe.poll.poll import Poll
from pennant_testing.mlflow.pretended_registries import SkippingRegistry, versions

pytestmark = pytest.mark.unit


class LargeRegistry(SkippingRegistry):
    """A registry of so many models, in pages of a hundred; it counts what it is asked."""

    def __init__(self, size: int, skipped: Set[str] = frozenset()) -> None:
        self.models = [f"m{number}" for number in range(size)]
        super().__init__(dict.fromkeys(self.models, "1"), set(skipped))
        self.asked = Counter[str]()

    async def search(self, models: Sequence[str]) -> dict[str, RegisteredModel]:
        self.asked["searches"] += 1
        return await super().search(models)

    async def walk(self, most: int) -> dict[str, RegisteredModel]:
        self.asked["walks"] += 1
        return await super().search(self.models[: (most // 100 + 1) * 100])

    async def model(self, name: str) -> RegisteredModel:
        self.asked["single ones"] += 1
        return await super().model(name)

    async def ping(self) -> None:
        self.asked["pings"] += 1


def polls(registry: LargeRegistry, many: int, watched: int = 400, server: str = "3.17.2") -> Known:
    known, of_it = Known(), [Watch("default", f"m{n}", alias="production") for n in range(watched)]

    async def scenario() -> None:
        given: Any = registry
        for _ in range(many):
            await Poll(given, server, known).ask(of_it)

    asyncio.run(scenario())
    return known


def test_a_registry_of_which_most_is_followed_is_walked_through():
    registry = LargeRegistry(430)
    polls(registry, 3)
    assert registry.asked == {"walks": 3}


def test_a_walk_through_too_many_is_given_up_and_not_tried_again():
    registry = LargeRegistry(5000)
    known = polls(registry, 3)
    assert registry.asked == {"walks": 1, "searches": 3}
    assert len(versions(known)) == 400


def test_with_an_older_server_a_walk_that_is_given_up_leaves_one_question_each():
    registry = LargeRegistry(5000)
    known = polls(registry, 2, watched=20, server="3.16.0")
    assert registry.asked == {"walks": 1, "single ones": 40}
    assert len(versions(known)) == 20


def test_what_slips_out_of_a_walk_is_asked_for_by_itself():
    registry = LargeRegistry(400, skipped={"m7", "m100"})
    known = polls(registry, 1)
    assert registry.asked == {"walks": 1, "single ones": 2}
    assert len(versions(known)) == 400


class SlowlyWalked(LargeRegistry):
    """Some model in it makes every page too slow."""

    async def walk(self, most: int) -> dict[str, RegisteredModel]:
        self.asked["walks"] += 1
        raise TooSlowError("http://mlflow did not answer within 5 s.")


def test_a_walk_that_somebodys_model_makes_too_slow_is_given_up_too():
    registry = SlowlyWalked(430)
    known = polls(registry, 3)
    assert registry.asked == {"walks": 1, "pings": 1, "searches": 3}
    assert len(versions(known)) == 400


class OnceBroken(LargeRegistry):
    """In trouble of its own as the first walk is on its way, and over it by the ping."""

    async def walk(self, most: int) -> dict[str, RegisteredModel]:
        if not self.asked["walks"]:
            self.asked["walks"] += 1
            raise RegistryTroubleError("half an answer")
        return await super().walk(most)


def test_a_walk_is_not_given_up_for_trouble_that_is_over():
    registry = OnceBroken(430)
    polls(registry, 3)
    assert registry.asked == {"walks": 1 + 3, "pings": 1}
