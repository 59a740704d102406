"""Holds come with the aliases, in the same answers; no trouble and no poor answer ends one."""

from __future__ import annotations

import pytest

from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.mlflow.answers import registered
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError
from pennant_operator.observe.poll.poll import Poll
from pennant_registry.hold_form import Hold, Holds
from pennant_testing.mlflow.pretended_registries import (
    MODELS,
    WATCHES,
    LyingRegistry,
    polled,
)

pytestmark = pytest.mark.unit

KEY, HELD = "pennant.hold.production", WATCHES[2]
REASON = Hold("incident 12", tag=KEY)


def test_a_hold_costs_no_question_of_its_own():
    async def scenario(registry: LyingRegistry, poll: Poll) -> None:
        await poll.ask(WATCHES)
        registry.taken()
        registry.tags[HELD.model] = {KEY: "incident 12"}
        registry.aliases[HELD.model] = "8"
        await poll.ask(WATCHES)
        assert registry.taken() == ["search 6", f"source {HELD.model}"]
        assert poll.known.holds[HELD].whole == REASON
        assert all(poll.known.holds[watch] == Holds() for watch in WATCHES if watch != HELD)

    polled(scenario)


def test_its_end_is_believed_when_the_model_says_so_by_itself():
    """Once: that costs one question."""

    async def scenario(registry: LyingRegistry, poll: Poll) -> None:
        registry.tags[HELD.model] = {KEY: "incident 12", f"{KEY}.8": "bad"}
        await poll.ask(WATCHES)
        registry.pages_lack_tags = True
        await poll.ask(WATCHES)
        assert poll.known.holds[HELD].keys == {"", "8"}
        registry.pages_lack_tags = False
        del registry.tags[HELD.model][KEY]
        registry.taken()
        await poll.ask(WATCHES)
        await poll.ask(WATCHES)
        assert registry.taken() == ["search 6", f"model {HELD.model}", "search 6"]
        assert poll.known.holds[HELD].keys == {"8"}

    polled(scenario)


def test_an_operator_that_begins_asks_the_model_itself_where_a_status_remembers_a_hold():
    async def scenario(registry: LyingRegistry, poll: Poll) -> None:
        registry.tags[HELD.model] = {KEY: "incident 12"}
        registry.pages_lack_tags = True
        poll.known.held_before.add(HELD)
        await poll.ask(WATCHES)
        assert registry.taken().count(f"model {HELD.model}") == 1
        assert poll.known.holds[HELD].whole == REASON

    polled(scenario)


def test_trouble_ends_no_hold():
    async def scenario(registry: LyingRegistry, poll: Poll) -> None:
        registry.tags[HELD.model] = {KEY: "incident 12"}
        await poll.ask(WATCHES)
        registry.tags = {}
        registry.down = RegistryTroubleError("it does not answer")
        with pytest.raises(RegistryTroubleError):
            await poll.ask(WATCHES)
        registry.down, registry.skipped = None, {HELD.model}
        registry.models[HELD.model] = RegistryTroubleError("500")
        await poll.ask(WATCHES)
        assert poll.known.holds[HELD].whole == REASON

    polled(scenario)


def test_each_watch_has_those_on_what_it_follows_and_a_pin_has_none():
    model = MODELS[0]
    watches = {
        "production": Watch("default", model, alias="production"),
        "canary": Watch("default", model, alias="canary"),
        "pinned": Watch("default", model, version="7"),
    }

    async def scenario(registry: LyingRegistry, poll: Poll) -> None:
        registry.tags[model] = {KEY: "incident 12", f"{KEY}.7": "bad", "pennant.hold.canary": ""}
        await poll.ask(watches.values())
        keys = {name: poll.known.holds[watch].keys for name, watch in watches.items()}
        assert keys == {"production": {"", "7"}, "canary": {""}, "pinned": set()}

    polled(scenario)


def test_what_nobody_watches_is_forgotten():
    async def scenario(registry: LyingRegistry, poll: Poll) -> None:
        await poll.ask(WATCHES)
        poll.known.forget_all_but({HELD})
        assert set(poll.known.holds) == {HELD}

    polled(scenario)


def test_of_a_models_tags_only_those_that_hold_are_taken():
    model = {
        "creation_timestamp": 1,
        "tags": [
            {"key": KEY, "value": "why"},
            {"key": f"{KEY}.8"},
            {"key": "owner", "value": "ana"},
            {"key": "pennant.holder", "value": "x"},
        ],
    }
    assert registered(model).tags == {KEY: "why", f"{KEY}.8": ""}
