"""What a poll concludes from a search that leaves models out, as pages by offset may."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.seen.observed import Absent, ModelVersion
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.mlflow.answers import RegisteredModel, RegisteredVersion
from pennant_operator.observe.mlflow.trouble import (
    MlflowRefusedError,
    NotAllowedError,
    RegistryTroubleError,
    TooSlowError,
)
from pennant_operator.observe.poll.few_at_once import CONCURRENCY_LIMIT
from pennant_operator.observe.poll.known import (
    ABSENCE_CONFIRMATION_SECONDS,
    UNRESOLVED_CONFIRMATION_SECONDS,
    Known,
)
from pennant_operator.observe.poll.poll import Poll
from pennant_operator.observe.poll.together import ASKED_APART_SECONDS
from pennant_testing.jumping_clock import at_once
from pennant_testing.mlflow.poll_answers import answers, unresolved

pytestmark = pytest.mark.unit

MODELS = [f"m{number}" for number in range(6)]
WATCHES = [Watch("default", name, alias="production") for name in MODELS]


class Skipping:
    """A registry whose searches miss some models, and whose single answers are true."""

    def __init__(self, aliases: dict[str, str], skipped: set[str]) -> None:
        self.aliases = aliases
        self.skipped = skipped

    async def search(self, models: Sequence[str]) -> dict[str, RegisteredModel]:
        return {name: self._registered(name) for name in models if name not in self.skipped}

    async def walk(self, most: int) -> dict[str, RegisteredModel]:
        return await self.search(MODELS)

    async def model(self, name: str) -> RegisteredModel:
        return self._registered(name)

    async def version(self, model: str, number: str) -> RegisteredVersion:
        return RegisteredVersion(model, number, 1, "")

    async def resolve(self, found: RegisteredVersion) -> ModelVersion:
        return ModelVersion(found.name, found.version, 1, "mlflow-artifacts:/x")

    async def ping(self) -> None:
        """It answers."""

    def _registered(self, name: str) -> RegisteredModel:
        aliases = {"production": self.aliases[name]} if name in self.aliases else {}
        return RegisteredModel(created=1, updated=1, aliases=aliases, stages={})


def versions(known: Known) -> dict[str, str]:
    return {
        watch.model: answer.version
        for watch, answer in answers(known).items()
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
            before = versions(known)
            registry: Any = Skipping(there, skipped)
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


class Slow(Skipping):
    """Answers take a moment; it remembers how many were under way together."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(MODELS, "1"), set())
        self.under_way = self.most = self.resolved = 0

    async def resolve(self, found: RegisteredVersion) -> ModelVersion:
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
    assert told[0][1] <= CONCURRENCY_LIMIT < len(MODELS) == told[-1][1]
    assert slow.most == CONCURRENCY_LIMIT


class Lying(Skipping):
    """All is well, but for what a test makes of it; it remembers what it was asked."""

    def __init__(self, **aliases: str) -> None:
        super().__init__(dict.fromkeys(MODELS, "7") | aliases, set())
        self.searches: dict[str, Exception] = {}  # by a name that spoils them
        self.models: dict[str, Exception] = {}
        self.sources: dict[tuple[str, str], Exception] = {}
        self.down: Exception | None = None
        self.asked: list[str] = []

    async def ping(self) -> None:
        self._ask("ping", None)

    async def search(self, models: Sequence[str]) -> dict[str, RegisteredModel]:
        spoilt = next((self.searches[name] for name in models if name in self.searches), None)
        self._ask(f"search {len(models)}", spoilt)
        return await super().search([name for name in models if name not in self.models])

    async def walk(self, most: int) -> dict[str, RegisteredModel]:
        self._ask("walk", None)
        return {f"x{n}": self._registered(MODELS[0]) for n in range(most + 1)}

    async def model(self, name: str) -> RegisteredModel:
        self._ask(f"model {name}", self.models.get(name))
        return await super().model(name)

    async def resolve(self, found: RegisteredVersion) -> ModelVersion:
        self._ask(f"source {found.name}", self.sources.get((found.name, found.version)))
        return await super().resolve(found)

    def _ask(self, what: str, error: Exception | None) -> None:
        self.asked.append(what)
        if self.down or error:
            raise self.down or error  # type: ignore[misc]

    def taken(self) -> list[str]:
        taken, self.asked = self.asked, []
        return taken


def story(
    scenario: Callable[[Lying, Poll], Awaitable[None]], **aliases: str
) -> tuple[Lying, Known]:
    """Polls of a registry that lies, by a clock that no test waits for."""
    lying, known = Lying(**aliases), Known()

    async def run() -> None:
        registry: Any = lying
        await scenario(lying, Poll(registry, "3.17.2", known))

    at_once(run())
    return lying, known


ERRORS = {
    "400": MlflowRefusedError("400 INVALID_PARAMETER_VALUE: Invalid value"),
    "403": NotAllowedError("403"),
    "500": RegistryTroubleError("http://mlflow answers 500, and not as MLflow does: 'boom'."),
    "slow": TooSlowError("http://mlflow did not answer within 5 s."),
    "a fault": KeyError("of our own"),
}
BAD = WATCHES[2]


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_what_is_answered_about_one_model_is_that_models_state_and_no_others(error: Exception):
    async def scenario(lying: Lying, poll: Poll) -> None:
        lying.models = {BAD.model: error}
        if error in (ERRORS["400"], ERRORS["403"], ERRORS["500"]):
            lying.searches = lying.models
        await poll.ask(WATCHES)

    _, known = story(scenario)
    assert versions(known) == dict.fromkeys(set(MODELS) - {BAD.model}, "7")
    assert set(unresolved(known)) == {BAD}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_one_watch_that_cannot_be_answered_hides_no_other_of_its_model(error: Exception):
    pinned = Watch("default", MODELS[0], version="8")

    async def scenario(lying: Lying, poll: Poll) -> None:
        lying.sources = {(MODELS[0], "8"): error}
        await poll.ask([*WATCHES, pinned])

    _, known = story(scenario)
    assert set(versions(known)) == set(MODELS)
    assert set(unresolved(known)) == {pinned}


def test_an_alias_at_a_version_without_a_source_is_not_where_it_was():
    async def scenario(lying: Lying, poll: Poll) -> None:
        await poll.ask(WATCHES)
        lying.aliases[BAD.model] = "8"
        lying.sources = {(BAD.model, "8"): ERRORS["400"]}
        await poll.ask(WATCHES)

    _, known = story(scenario)
    (told,) = unresolved(known).values()
    assert (told.reason, told.version) == ("VersionNotResolved", "8")
    assert "alias production points at version 8" in told.message


def test_a_version_without_a_source_is_asked_for_ever_later_and_another_one_at_once():
    async def scenario(lying: Lying, poll: Poll) -> None:
        lying.aliases[BAD.model] = "8"
        lying.sources = {(BAD.model, "8"): ERRORS["400"]}
        for _ in range(600):
            await poll.ask(WATCHES)
            await asyncio.sleep(1)
        assert lying.taken().count(f"source {BAD.model}") == 6
        lying.aliases[BAD.model] = "9"
        await poll.ask(WATCHES)
        assert versions(poll.known)[BAD.model] == "9"
        lying.aliases[BAD.model] = "8"
        await poll.ask(WATCHES)
        lying.sources = {}
        await asyncio.sleep(10)
        await poll.ask(WATCHES)

    _, known = story(scenario)
    assert versions(known)[BAD.model] == "8"


def test_a_poll_in_which_nothing_is_to_be_asked_asks_whether_the_registry_answers():
    async def scenario(lying: Lying, poll: Poll) -> None:
        lying.models = {BAD.model: ERRORS["slow"]}
        await poll.ask([BAD])
        assert lying.taken() == [f"model {BAD.model}", "ping"]
        await poll.ask([BAD])
        await poll.ask([])
        assert lying.taken() == ["ping", "ping"]

    story(scenario)


def test_one_model_in_trouble_keeps_what_was_known_of_it_until_that_lasted():
    async def scenario(lying: Lying, poll: Poll) -> None:
        await poll.ask(WATCHES)
        lying.models = {BAD.model: ERRORS["500"]}
        await poll.ask(WATCHES)
        await asyncio.sleep(UNRESOLVED_CONFIRMATION_SECONDS - 1)
        await poll.ask(WATCHES)
        assert versions(poll.known)[BAD.model] == "7"
        await asyncio.sleep(1)
        await poll.ask(WATCHES)

    _, known = story(scenario)
    assert unresolved(known)[BAD].reason == "ModelNotAnswered"


def test_a_registry_of_which_nothing_answers_is_in_trouble_and_tells_nothing_new_of_a_model():
    async def scenario(lying: Lying, poll: Poll) -> None:
        await poll.ask(WATCHES)
        lying.down = ERRORS["500"]
        lying.taken()
        for watches in (WATCHES, WATCHES[:2]):
            with pytest.raises(RegistryTroubleError, match="boom"):
                await poll.ask(watches)
        assert len(lying.taken()) <= 2 + 2 * CONCURRENCY_LIMIT

    _, known = story(scenario)
    assert set(versions(known)) == set(MODELS)
    assert [answer.doubt for answer in known.answers.values()] == [None] * len(MODELS)


class Recovering(Skipping):
    """Its trouble is over by the time that it is asked whether it answers at all."""

    over = False

    async def model(self, name: str) -> RegisteredModel:
        if not self.over:
            raise RegistryTroubleError("half an answer")
        return await super().model(name)

    async def ping(self) -> None:
        self.over = True


def test_trouble_that_ends_in_a_poll_was_no_models():
    known, few = Known(), WATCHES[:3]
    registry = Recovering(dict.fromkeys(MODELS, "1"), set())
    at_once(Poll(registry, "3.17.2", known, clock=lambda: 0.0).ask(few))  # type: ignore[arg-type]
    assert unresolved(known) == {}
    assert versions(known) == dict.fromkeys(MODELS[:3], "1")


def test_one_model_that_never_answers_makes_others_wait_less_and_less_often():
    others = [watch for watch in WATCHES[:3] if watch != BAD]

    async def scenario(lying: Lying, poll: Poll) -> None:
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

    _, known = story(scenario)
    assert versions(known)[BAD.model] == "7"


def test_a_name_that_spoils_a_search_is_found_once_and_asked_for_by_itself():
    many = [Watch("default", f"m{n}", alias="production") for n in range(300)]
    aliases = {watch.model: "1" for watch in many}

    async def scenario(lying: Lying, poll: Poll) -> None:
        lying.searches = {"m77": ERRORS["400"]}
        await poll.ask(many)
        lying.taken()
        await poll.ask(many)
        assert len(lying.taken()) <= 1 + CONCURRENCY_LIMIT
        lying.searches = {}
        await asyncio.sleep(ASKED_APART_SECONDS)
        await poll.ask(many)
        assert lying.taken() == ["search 300"]

    _, known = story(scenario, **aliases)
    assert len(versions(known)) == 300


# An absence, which some act on (law 2).


def test_an_alias_that_is_removed_and_set_again_a_second_later_was_never_absent():
    async def scenario(lying: Lying, poll: Poll) -> None:
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

    _, known = story(scenario)
    assert versions(known)[BAD.model] == "7"


def test_what_is_absent_is_so_by_a_read_that_comes_five_seconds_after_the_first():
    async def scenario(lying: Lying, poll: Poll) -> None:
        await poll.ask(WATCHES)
        del lying.aliases[BAD.model]
        for _ in range(5):  # polls of one second do not confirm it earlier
            await poll.ask(WATCHES)
            assert versions(poll.known)[BAD.model] == "7"
            await asyncio.sleep(1)
        await poll.ask(WATCHES)

    _, known = story(scenario)
    assert answers(known)[BAD].reason == "AliasNotSet"


def test_what_was_never_there_is_told_at_once_and_acted_on_by_nobody():
    async def scenario(lying: Lying, poll: Poll) -> None:
        del lying.aliases[BAD.model]
        await poll.ask(WATCHES)
        first = unresolved(poll.known)[BAD]
        await asyncio.sleep(ABSENCE_CONFIRMATION_SECONDS)
        await poll.ask(WATCHES)
        sure = answers(poll.known)[BAD]
        assert (first.reason, first.message) == (sure.reason, sure.message)

    story(scenario)


def test_an_error_between_two_sights_of_an_absence_confirms_nothing():
    async def scenario(lying: Lying, poll: Poll) -> None:
        await poll.ask(WATCHES)
        del lying.aliases[BAD.model]
        await poll.ask(WATCHES)
        lying.models = {BAD.model: ERRORS["500"]}
        await asyncio.sleep(ABSENCE_CONFIRMATION_SECONDS)
        await poll.ask(WATCHES)
        lying.models = {}
        await poll.ask(WATCHES)

    _, known = story(scenario)
    assert versions(known)[BAD.model] == "7"


def test_an_idle_poll_asks_once_about_a_pinned_version_that_is_not_there():
    class Without(Lying):
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


class Large(Skipping):
    """A registry of so many models, in pages of a hundred; it counts what it is asked."""

    def __init__(self, size: int, skipped: set[str] = frozenset()) -> None:
        self.models = [f"m{number}" for number in range(size)]
        super().__init__(dict.fromkeys(self.models, "1"), skipped)
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
    assert len(versions(known)) == 400


def test_with_an_older_server_a_walk_that_is_given_up_leaves_one_question_each():
    registry = Large(5000)
    known = polls(registry, 2, watched=20, server="3.16.0")
    assert registry.asked == {"walks": 1, "single ones": 40}
    assert len(versions(known)) == 20


def test_what_slips_out_of_a_walk_is_asked_for_by_itself():
    registry = Large(400, skipped={"m7", "m100"})
    known = polls(registry, 1)
    assert registry.asked == {"walks": 1, "single ones": 2}
    assert len(versions(known)) == 400
