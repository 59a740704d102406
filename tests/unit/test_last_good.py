"""Which version served well at a place before: what its tags say, who asks, and when."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest

from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.observe.mlflow.answers import RegisteredVersion
from pennant_operator.observe.mlflow.trouble import NotAllowedError, RegistryTroubleError
from pennant_operator.observe.poll.known import Known
from pennant_operator.observe.poll.last_good import GoodQuestion, LastGoodVersions
from pennant_operator.observe.poll.poll import Poll
from pennant_registry.places import Place
from pennant_testing.jumping_clock import at_once
from pennant_testing.mlflow.pretended_registries import SkippingRegistry

pytestmark = pytest.mark.unit

KEY, OTHER = ("team", "rec"), ("team", "other")
PLACE = Place("eu-1", *KEY)
QUESTION = GoodQuestion("m0", PLACE)
ELSEWHERE = GoodQuestion("m0", Place("eu-1", *OTHER))
OLD, NEW = "serving since 2026-01-01T00:00:00Z, good", "serving since 2026-02-01T00:00:00Z, good"


class Tagged(SkippingRegistry):
    """Versions of one model by the tags that they have."""

    def __init__(self, **tags: dict[str, str]) -> None:
        super().__init__({}, set())
        self.of_versions = {number.removeprefix("v"): of for number, of in tags.items()}
        self.troubles: list[Exception] = []  # of the next questions
        self.asked = 0

    async def versions(self, model: str) -> dict[str, RegisteredVersion]:
        self.asked += 1
        if self.troubles:
            raise self.troubles.pop(0)
        found = {number: await self.version(model, number) for number in self.of_versions}
        return {n: replace(entry, tags=self.of_versions[n]) for n, entry in found.items()}


def asked(registry: Any, question: GoodQuestion = QUESTION) -> ModelVersion | None:
    """What is answered to one who asks, and to nobody else."""
    known = Known()
    known.last_good.look_up(KEY, question)
    told: list[tuple[str, str]] = []
    at_once(Poll(registry, "3.17.2", known).ask_last_good(known.last_good.due(), told.extend))
    answer = known.last_good.look_up(KEY, question)
    assert known.last_good.due() == []
    assert told == ([KEY] if answer is not None else [])
    return answer


@pytest.mark.parametrize(
    ("tags", "version"),
    [
        ({"v7": {PLACE.tag: OLD}, "v8": {PLACE.tag: "rejected: LoadFailed: no"}}, "7"),
        ({"v5": {PLACE.tag: NEW}, "v7": {PLACE.tag: OLD}}, "5"),
        ({"v7": {PLACE.tag: "serving since 2026-01-01T00:00:00Z"}}, None),  # in its bake
        ({"v7": {PLACE.tag: "serving since yesterday, good"}}, None),
        ({"v7": {ELSEWHERE.place.tag: OLD}}, None),
        ({"v7": {PLACE.decision_tag: OLD}}, None),
        ({"v7": {PLACE.tag: ""}}, None),  # as good as taken away
        ({}, None),
    ],
)
def test_it_is_the_one_that_is_said_to_serve_well_there_since_the_latest(
    tags: dict[str, dict[str, str]], version: str | None
):
    answer = asked(Tagged(**tags))
    assert (answer.version if answer else None) == version


def test_a_model_that_says_nothing_has_none_and_is_not_asked_again():
    registry = Tagged(v7={PLACE.tag: OLD})
    registry.troubles = [NotAllowedError("403")] * 2
    assert asked(registry) is None


def test_trouble_of_the_registry_is_no_answer():
    registry: Any = Tagged(v7={PLACE.tag: OLD})
    registry.troubles = [RegistryTroubleError("half an answer")]
    answer = asked(registry)
    assert answer is not None
    assert answer.version == "7"


def test_a_registry_that_is_silent_is_asked_later():
    class Silent(Tagged):
        async def ping(self) -> None:
            raise RegistryTroubleError("no answer")

    registry: Any = Silent()
    registry.troubles = [RegistryTroubleError("no answer")]
    known = Known()
    known.last_good.look_up(KEY, QUESTION)
    with contextlib.suppress(RegistryTroubleError):
        at_once(Poll(registry, "3.17.2", known).ask_last_good([QUESTION], set))
    assert known.last_good.due() == [QUESTION]


def test_who_wants_to_know_no_more_is_forgotten_and_asks_anew():
    good, seven = LastGoodVersions(), ModelVersion("m0", "7", 1, "mlflow-artifacts:/x")
    assert good.look_up(KEY, QUESTION) is None
    assert good.answered(QUESTION, seven) == {KEY}
    assert good.look_up(KEY, QUESTION) == seven
    good.look_up(KEY, None)
    assert good.look_up(KEY, QUESTION) is None
    assert good.due() == [QUESTION]
    good.forget_all_but({OTHER})
    assert good.due() == []
    assert good.answered(QUESTION, seven) == set()
