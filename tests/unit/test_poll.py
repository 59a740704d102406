"""What a poll concludes from a search that leaves models out, as pages by offset may."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.seen.observed import Absent, ModelVersion
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.mlflow.answers import RegisteredVersion
from pennant_operator.observe.mlflow.trouble import (
    RegistryTroubleError,
)
from pennant_operator.observe.poll.few_at_once import CONCURRENCY_LIMIT
from pennant_operator.observe.poll.known import (
    ABSENCE_CONFIRMATION_SECONDS,
    UNRESOLVED_CONFIRMATION_SECONDS,
    Known,
)
from pennant_operator.observe.poll.poll import Poll
from pennant_operator.observe.poll.retries import FIRST_RETRY_SECONDS
from pennant_operator.observe.poll.together import ASKED_APART_SECONDS, SLOW_SEARCHES_LIMIT
from pennant_testing.jumping_clock import at_once
from pennant_testing.mlflow.poll_answers import answers, unresolved
from pennant_testing.mlflow.pretended_registries import (
    BAD,
    ERRORS,
    MODELS,
    WATCHES,
    LyingRegistry,
    SkippingRegistry,
    polled,
    versions,
)

pytestmark = pytest.mark.unit


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
            before = versions(known)
            registry: Any = SkippingRegistry(there, skipped)
            await Poll(registry, server, known).ask(WATCHES)
            for name in MODELS:
                # What a search leaves out is asked for by itself: it is found, or seen to be gone.
                still = there.get(name) or before.get(name)
                assert versions(known).get(name) == still, (name, before)
            await asyncio.sleep(ABSENCE_CONFIRMATION_SECONDS)
            await Poll(registry, server, known).ask(WATCHES)
            assert versions(known) == there
        gone = [watch for watch, answer in answers(known).items() if isinstance(answer, Absent)]
        assert {watch.model for watch in gone} == set(MODELS) - polls[-1][0].keys()

    at_once(scenario())


class Slow(SkippingRegistry):
    """Answers take a moment; it remembers how many were under way together."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(MODELS, "1"), set())
        self.under_way = self.most = self.resolved = 0

    async def resolve(self, version: RegisteredVersion) -> ModelVersion:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(1)
        self.under_way -= 1
        self.resolved += 1
        return await super().resolve(version)


def test_who_waits_for_the_first_of_many_that_moved_does_not_wait_for_the_last():
    slow, answers = Slow(), list[tuple[str, int]]()

    async def scenario() -> None:
        registry: Any = slow
        answered = lambda watch: answers.append((watch.model, slow.resolved))  # noqa: E731
        await Poll(registry, "3.17.2", Known()).ask(WATCHES, answered)

    at_once(scenario())
    assert sorted(model for model, _ in answers) == MODELS
    assert answers[0][1] <= CONCURRENCY_LIMIT < len(MODELS) == answers[-1][1]
    assert slow.most == CONCURRENCY_LIMIT


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_what_is_answered_about_one_model_is_that_models_state_and_no_others(error: Exception):
    async def scenario(lying: LyingRegistry, poll: Poll) -> None:
        lying.models = {BAD.model: error}
        if error in (ERRORS["400"], ERRORS["403"], ERRORS["500"]):
            lying.searches = lying.models
        await poll.ask(WATCHES)
        await asyncio.sleep(2 * FIRST_RETRY_SECONDS)
        await poll.ask(WATCHES)  # one time-out is no answer

    _, known = polled(scenario)
    assert versions(known) == dict.fromkeys(set(MODELS) - {BAD.model}, "7")
    assert set(unresolved(known)) == {BAD}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_one_watch_that_cannot_be_answered_hides_no_other_of_its_model(error: Exception):
    pinned = Watch("default", MODELS[0], version="8")

    async def scenario(lying: LyingRegistry, poll: Poll) -> None:
        lying.sources = {(MODELS[0], "8"): error}
        await poll.ask([*WATCHES, pinned])

    _, known = polled(scenario)
    assert set(versions(known)) == set(MODELS)
    assert set(unresolved(known)) == {pinned}


def test_an_alias_at_a_version_without_a_source_is_not_where_it_was():
    async def scenario(lying: LyingRegistry, poll: Poll) -> None:
        await poll.ask(WATCHES)
        lying.aliases[BAD.model] = "8"
        lying.sources = {(BAD.model, "8"): ERRORS["400"]}
        await poll.ask(WATCHES)

    _, known = polled(scenario)
    (absent,) = unresolved(known).values()
    assert (absent.reason, absent.version) == ("VersionNotResolved", "8")
    assert "alias production points at version 8" in absent.message


def test_a_version_without_a_source_is_asked_for_ever_later_and_another_one_at_once():
    async def scenario(lying: LyingRegistry, poll: Poll) -> None:
        lying.aliases[BAD.model] = "8"
        lying.sources = {(BAD.model, "8"): ERRORS["400"]}
        for _ in range(600):
            await poll.ask(WATCHES)
            await asyncio.sleep(1)
        assert lying.taken().count(f"source {BAD.model}") == 1 + 6  # first, twice at once
        lying.aliases[BAD.model] = "9"
        await poll.ask(WATCHES)
        assert versions(poll.known)[BAD.model] == "9"
        lying.aliases[BAD.model] = "8"
        await poll.ask(WATCHES)
        lying.sources = {}
        await asyncio.sleep(10)
        await poll.ask(WATCHES)

    _, known = polled(scenario)
    assert versions(known)[BAD.model] == "8"


def test_an_image_that_was_named_before_the_alias_moved_is_seen_where_others_ran_it_before():
    async def scenario() -> None:
        registry: Any = SkippingRegistry({WATCHES[0].model: "1"}, set())
        known = Known()
        poll = Poll(registry, "3.17.2", known)
        tried = Watch("default", WATCHES[0].model, version="2")
        await poll.ask([tried, WATCHES[0]])
        registry.image = "news@sha256:0"
        registry.aliases[WATCHES[0].model] = "2"
        await poll.ask([tried, WATCHES[0]])
        desired = answers(known)[WATCHES[0]]
        assert isinstance(desired, ModelVersion)
        assert (desired.version, desired.image) == ("2", "news@sha256:0")

    at_once(scenario())


def test_a_poll_in_which_nothing_is_to_be_asked_asks_whether_the_registry_answers():
    async def scenario(lying: LyingRegistry, poll: Poll) -> None:
        lying.models = {BAD.model: ERRORS["slow"]}
        await poll.ask([BAD])
        assert lying.taken() == [f"model {BAD.model}", "ping"]
        await poll.ask([BAD])
        await poll.ask([])
        assert lying.taken() == ["ping", "ping"]

    polled(scenario)


def test_one_model_in_trouble_keeps_what_was_known_of_it_until_that_lasted():
    async def scenario(lying: LyingRegistry, poll: Poll) -> None:
        await poll.ask(WATCHES)
        lying.models = {BAD.model: ERRORS["500"]}
        await poll.ask(WATCHES)
        await asyncio.sleep(UNRESOLVED_CONFIRMATION_SECONDS - 1)
        await poll.ask(WATCHES)
        assert versions(poll.known)[BAD.model] == "7"
        await asyncio.sleep(1)
        await poll.ask(WATCHES)

    _, known = polled(scenario)
    assert unresolved(known)[BAD].reason == "ModelNotAnswered"


def test_a_registry_of_which_nothing_answers_is_in_trouble_and_tells_nothing_new_of_a_model():
    async def scenario(lying: LyingRegistry, poll: Poll) -> None:
        await poll.ask(WATCHES)
        lying.down = ERRORS["500"]
        lying.taken()
        for watches in (WATCHES, WATCHES[:2]):
            with pytest.raises(RegistryTroubleError, match="boom"):
                await poll.ask(watches)
        assert len(lying.taken()) <= 2 + 2 * CONCURRENCY_LIMIT

    _, known = polled(scenario)
    assert set(versions(known)) == set(MODELS)
    assert [answer.doubt for answer in known.answers.values()] == [None] * len(MODELS)


def test_one_model_that_never_answers_makes_others_wait_less_and_less_often():
    others = [watch for watch in WATCHES[:3] if watch != BAD]

    async def scenario(lying: LyingRegistry, poll: Poll) -> None:
        lying.models = {BAD.model: ERRORS["slow"]}
        order: list[Watch] = []
        for _ in range(600):
            await poll.ask(WATCHES[:3], order.append)
            await asyncio.sleep(1)
        assert order.count(others[0]) == order.count(others[1]) == 600
        assert lying.taken().count(f"model {BAD.model}") <= 7
        lying.models = {}
        await asyncio.sleep(300)
        await poll.ask(WATCHES[:3])

    _, known = polled(scenario)
    assert versions(known)[BAD.model] == "7"


@pytest.mark.parametrize("how", ["400", "500", "slow"])
def test_a_name_that_spoils_a_search_is_found_once_and_asked_for_by_itself(how: str):
    many = [Watch("default", f"m{n}", alias="production") for n in range(300)]
    aliases = {watch.model: "1" for watch in many}

    async def scenario(lying: LyingRegistry, poll: Poll) -> None:
        lying.searches = {"m77": ERRORS[how]}
        await poll.ask(many)
        lying.taken()
        await poll.ask(many)
        assert len(lying.taken()) <= 1 + CONCURRENCY_LIMIT
        lying.searches = {}
        await asyncio.sleep(ASKED_APART_SECONDS)
        await poll.ask(many)
        assert lying.taken() == ["search 300"]

    _, known = polled(scenario, **aliases)
    assert len(versions(known)) == 300


def test_where_every_search_is_too_slow_few_are_tried_and_each_model_answers_for_itself():
    many = [Watch("default", f"m{n}", alias="production") for n in range(300)]
    aliases = {watch.model: "1" for watch in many}

    async def scenario(lying: LyingRegistry, poll: Poll) -> None:
        lying.searches = dict.fromkeys(aliases, ERRORS["slow"])
        await poll.ask(many)
        searches = [each for each in lying.taken() if each.startswith("search")]
        assert len(searches) <= 2 * SLOW_SEARCHES_LIMIT
        await poll.ask(many)
        assert not [each for each in lying.taken() if each.startswith("search")]

    _, known = polled(scenario, **aliases)
    assert len(versions(known)) == 300
