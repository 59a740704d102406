"""What a poll concludes from a search that leaves models out, as pages by offset may."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jumping_clock import at_once

from pennant_operator.decide.observed import Absent, ModelVersion
from pennant_operator.decide.spec import Watch
from pennant_operator.observe.answers import Found, Registered
from pennant_operator.observe.few_at_once import FEW
from pennant_operator.observe.mlflow_http import RegistryTroubleError
from pennant_operator.observe.poll import Known, Poll

pytestmark = pytest.mark.unit

MODELS = [f"m{number}" for number in range(6)]
WATCHES = [Watch("default", name, alias="production") for name in MODELS]


class Skipping:
    """A registry whose searches miss some models, and whose single answers are true."""

    def __init__(self, aliases: dict[str, str], skipped: set[str]) -> None:
        self.aliases = aliases
        self.skipped = skipped

    async def search(self, models: Sequence[str]) -> dict[str, Registered]:
        return {name: self._registered(name) for name in models if name not in self.skipped}

    async def walk(self, most: int) -> dict[str, Registered]:
        return await self.search(MODELS)

    async def model(self, name: str) -> Registered:
        return self._registered(name)

    async def version(self, model: str, number: str) -> Found:
        return {"name": model, "version": number, "creation_timestamp": 1}

    async def resolve(self, found: Found) -> ModelVersion:
        return ModelVersion(found["name"], found["version"], 1, "mlflow-artifacts:/x")

    def _registered(self, name: str) -> Registered:
        aliases = {"production": self.aliases[name]} if name in self.aliases else {}
        return Registered(created=1, updated=1, aliases=aliases, stages={})


def answers(known: Known) -> dict[str, str]:
    return {
        watch.model: answer.version
        for watch, answer in known.answers.items()
        if isinstance(answer, ModelVersion)
    }


aliases = st.dictionaries(st.sampled_from(MODELS), st.sampled_from("12"))


@given(
    polls=st.lists(st.tuples(aliases, st.sets(st.sampled_from(MODELS))), min_size=1, max_size=5),
    server=st.sampled_from(["3.17.2", "3.16.0"]),
)
def test_a_model_that_slips_between_two_pages_is_not_a_removed_alias(
    polls: list[tuple[dict[str, str], set[str]]], server: str
):
    async def scenario() -> None:
        known = Known()
        for there, skipped in polls:
            before = answers(known)
            registry: Any = Skipping(there, skipped)
            await Poll(registry, server, known).ask(WATCHES)
            for name in MODELS:
                # What a search leaves out is asked for by itself: it is found, or truly gone.
                assert answers(known).get(name) == there.get(name), (name, before)
        gone = [watch for watch, answer in known.answers.items() if isinstance(answer, Absent)]
        assert {watch.model for watch in gone} == set(MODELS) - polls[-1][0].keys()

    asyncio.run(scenario())


class Slow(Skipping):
    """Answers take a moment; it remembers how many were under way together."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(MODELS, "1"), set())
        self.under_way = self.most = self.resolved = 0

    async def resolve(self, found: Found) -> ModelVersion:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(1)
        self.under_way -= 1
        self.resolved += 1
        return await super().resolve(found)


def test_who_waits_for_the_first_of_many_that_moved_does_not_wait_for_the_last():
    slow, told = Slow(), list[tuple[str, int]]()

    async def scenario() -> None:
        registry: Any = slow
        answered = lambda watch: told.append((watch.model, slow.resolved))  # noqa: E731
        await Poll(registry, "3.17.2", Known()).ask(WATCHES, answered)

    at_once(scenario())
    assert sorted(model for model, _ in told) == MODELS
    assert told[0][1] <= FEW < len(MODELS) == told[-1][1]
    assert slow.most == FEW


def test_trouble_with_one_of_many_is_trouble_and_nothing_more_is_asked():
    class Troubled(Slow):
        async def version(self, model: str, number: str) -> Found:
            if model == MODELS[1]:
                raise RegistryTroubleError("no answer")
            return await super().version(model, number)

    troubled = Troubled()

    async def scenario() -> None:
        registry: Any = troubled
        with pytest.raises(RegistryTroubleError, match="no answer"):
            await Poll(registry, "3.17.2", Known()).ask(WATCHES)
        await asyncio.sleep(10)
        assert troubled.resolved == 0

    at_once(scenario())


class Large(Skipping):
    """A registry of so many models, in pages of a hundred; it counts what it is asked."""

    def __init__(self, size: int, skipped: set[str] = frozenset()) -> None:
        self.models = [f"m{number}" for number in range(size)]
        super().__init__(dict.fromkeys(self.models, "1"), skipped)
        self.asked = Counter[str]()

    async def search(self, models: Sequence[str]) -> dict[str, Registered]:
        self.asked["searches"] += 1
        return await super().search(models)

    async def walk(self, most: int) -> dict[str, Registered]:
        self.asked["walks"] += 1
        return await super().search(self.models[: (most // 100 + 1) * 100])

    async def model(self, name: str) -> Registered:
        self.asked["single ones"] += 1
        return await super().model(name)


def polls(registry: Large, many: int, watched: int = 400, server: str = "3.17.2") -> Known:
    known, of_it = Known(), [Watch("default", f"m{n}", alias="production") for n in range(watched)]

    async def scenario() -> None:
        given: Any = registry
        for _ in range(many):
            await Poll(given, server, known).ask(of_it)

    asyncio.run(scenario())
    return known


def test_a_registry_of_which_most_is_followed_is_walked_through():
    registry = Large(430)
    polls(registry, 3)
    assert registry.asked == {"walks": 3}


def test_a_walk_through_too_many_is_given_up_and_not_tried_again():
    registry = Large(5000)
    known = polls(registry, 3)
    assert registry.asked == {"walks": 1, "searches": 3}
    assert len(answers(known)) == 400


def test_with_an_older_server_a_walk_that_is_given_up_leaves_one_question_each():
    registry = Large(5000)
    known = polls(registry, 2, watched=20, server="3.16.0")
    assert registry.asked == {"walks": 1, "single ones": 40}
    assert len(answers(known)) == 20


def test_what_slips_out_of_a_walk_is_asked_for_by_itself():
    registry = Large(400, skipped={"m7", "m100"})
    known = polls(registry, 1)
    assert registry.asked == {"walks": 1, "single ones": 2}
    assert len(answers(known)) == 400
