"""A registry that says nothing: what was edited meanwhile is rolled out where it is known how."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_operator.decide.registry.no_answer import registry_invalid, registry_not_found
from pennant_operator.decide.registry.registries import InvalidRegistryError
from pennant_operator.decide.registry.sources import source_refusal, with_pull_source
from pennant_operator.decide.seen.observed import (
    Refused,
    RegistryFacts,
    Unresolved,
)
from pennant_testing.memory.edited_situations import CANARY, MEMORY
from pennant_testing.memory.object_builders import REGISTRY, version
from pennant_testing.memory.silences import (
    NOT_ASKED,
    SILENT,
    each_silence,
    memory_limit,
    moved_to_8,
)
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved
from pennant_testing.memory.simulated_pods import fails

pytestmark = pytest.mark.unit

HIDDEN = Unresolved("ModelNotReadable", "the account may not read it")


def pin(number: int):
    return {"model": {"name": "news", "version": str(number)}}


@each_silence
def test_another_memory_rolls_without_the_registry(silence):
    sim = moved_to_8()
    sim.desired = silence
    sim.specify(**MEMORY)
    sim.step()
    assert sim.condition("Reconciling") == ("True", "RollingOut")
    assert sim.status["candidate"]["version"] == "8"
    sim.run(6)
    assert (sim.serving, memory_limit(sim)) == ("8", "2Gi")
    assert sim.condition("Reconciling") == ("False", "Settled")


def test_another_memory_rolls_while_the_model_is_hidden_and_that_is_told():
    sim = moved_to_8()
    sim.desired = HIDDEN
    sim.run(2)
    assert sim.condition("AliasInSync") == ("False", "ModelNotReadable")
    assert sim.condition("Reconciling") == ("False", "Settled")
    sim.specify(**MEMORY)
    sim.run(7)
    assert (sim.serving, memory_limit(sim)) == ("8", "2Gi")
    assert sim.condition("AliasInSync") == ("False", "ModelNotReadable")
    assert sim.condition("Reconciling") == ("False", "Settled")


def test_another_memory_does_not_roll_an_earlier_version_than_the_one_that_is_asked_for():
    sim = moved_to_8()
    sim.desired = Unresolved("ModelNotReadable", "its run is hidden", version="9")
    sim.specify(**MEMORY)
    sim.run(6)
    assert "candidate" not in sim.status
    assert memory_limit(sim) is None


@pytest.mark.parametrize(
    "desired",
    [
        Unresolved("VersionNotResolved", "its run is gone", version="9"),
        Refused("SourceNotAllowed", "its source is elsewhere", version="9"),
    ],
    ids=["not resolved", "not allowed"],
)
def test_what_was_never_found_is_told_once_and_not_taken_for_found_at_the_next_look(desired):
    sim = Simulation(desired)
    sim.step()
    status = sim.status
    assert status["desired"]["version"] == "9"
    sim.run(3)
    assert sim.status == status


def test_what_rolled_without_the_registry_is_what_it_would_have_rolled_with_it():
    sim = moved_to_8()
    sim.desired = SILENT
    sim.specify(**MEMORY)
    sim.run(6)
    sim.run(3, seconds=120)
    sim.writes.clear()
    sim.desired = version(8)
    sim.run(4)
    assert sim.writes == []
    assert sim.condition("AliasInSync") == ("True", "InSync")


@each_silence
def test_a_pin_on_a_version_that_ran_before_needs_no_registry(silence):
    sim = moved_to_8()
    sim.desired = silence
    sim.specify(**pin(7))
    sim.run(6)
    assert sim.serving == "7"
    assert sim.status["desired"]["version"] == "7"


@each_silence
@pytest.mark.parametrize("edit", [CANARY, pin(9)], ids=["another alias", "a pin"])
def test_what_nobody_knows_waits_and_says_so(silence, edit):
    sim = moved_to_8()
    sim.writes.clear()
    sim.desired = silence
    sim.specify(**edit)
    sim.run(4)
    assert (sim.serving, sim.writes) == ("8", [])
    assert sim.condition("Ready")[0] == "True"
    assert sim.condition("Reconciling") == ("True", "WaitingForVersion")
    assert sim.condition("AliasInSync") == ("Unknown", silence.reason)
    assert sim.status["summary"] == "Waiting"
    sim.desired = version(9)
    sim.run(6)
    assert sim.serving == "9"
    assert sim.condition("Reconciling") == ("False", "Settled")


def test_what_is_edited_back_is_what_it_was():
    sim = moved_to_8()
    before = sim.owner["spec"]["model"]
    sim.desired = NOT_ASKED
    sim.specify(**CANARY)
    sim.run(2)
    sim.specify(model=before)
    sim.run(2)
    assert sim.condition("Reconciling") == ("False", "Settled")


def test_a_rollout_that_was_begun_for_another_alias_does_not_get_the_traffic():
    sim = moved_to_8()
    sim.desired = version(9)
    sim.step()
    sim.desired = NOT_ASKED
    sim.specify(**CANARY)
    sim.run(6)
    assert sim.serving == "8"
    assert sim.condition("Reconciling") == ("True", "WaitingForVersion")
    assert sum(sim.sizes().values()) == 4


def test_a_rejected_version_whose_memory_is_raised_is_tried_again_without_the_registry():
    sim = alias_moved(pods=fails("StartFailed"))
    sim.run(8)
    assert sim.status["summary"] == "Rejected"
    sim.desired = SILENT
    sim.run(2)
    assert sim.status["summary"] == "Rejected"
    sim.behaviour.clear()
    sim.specify(**MEMORY)
    sim.run(8)
    assert (sim.serving, memory_limit(sim)) == ("8", "2Gi")


@pytest.mark.parametrize(
    "registry",
    [None, RegistryFacts(REGISTRY.url, allowed_sources=("s3://models",))],
    ids=["no ModelRegistry is known", "its source is not allowed any more"],
)
def test_what_may_not_be_fetched_any_more_does_not_roll(registry):
    sim = moved_to_8()
    sim.registry, sim.desired = registry, SILENT
    sim.run(2)
    sim.writes.clear()
    sim.specify(**MEMORY)
    sim.run(4)
    assert (sim.serving, sim.writes) == ("8", [])
    assert sim.condition("Reconciling") == ("True", "WaitingForVersion")


def test_suspended_nothing_rolls_and_the_status_says_why():
    sim = moved_to_8()
    sim.desired = NOT_ASKED
    sim.specify(suspend=True, **MEMORY)
    sim.run(4)
    assert memory_limit(sim) is None
    assert sim.condition("Reconciling") == ("False", "Settled")
    assert sim.condition("AliasInSync") == ("False", "Suspended")


def test_a_status_that_does_not_say_what_was_asked_counts_until_the_spec_changes():
    sim = moved_to_8()
    sim.owner["status"].pop("resolved")
    sim.desired = NOT_ASKED
    sim.run(2)
    assert sim.condition("Reconciling") == ("False", "Settled")
    assert sim.status["resolved"]["alias"] == "production"
    sim.owner["status"].pop("resolved")
    sim.specify(**CANARY)
    sim.run(3)
    assert sim.condition("Reconciling") == ("True", "WaitingForVersion")


def test_a_source_that_is_not_allowed_stops_nothing_that_serves():
    sim = moved_to_8()
    sim.desired = source_refusal("s3://elsewhere/9", REGISTRY.allowed_sources, registry="default")
    sim.events.clear()
    sim.run(4)
    assert (sim.serving, sim.status["summary"]) == ("8", "Held")
    assert sim.condition("Ready")[0] == "True"
    assert sim.condition("Stalled") == ("False", "NotStalled")
    assert sim.condition("AliasInSync") == ("False", "SourceNotAllowed")
    assert [event.reason for event in sim.events] == ["RolloutHeld"]
    assert "s3://elsewhere/9" in sim.events[0].message


def test_a_version_that_may_not_be_downloaded_is_the_desired_one():
    sim = moved_to_8()
    nine = replace(version(9), source="s3://elsewhere/9")
    sim.desired = with_pull_source(nine, None, REGISTRY.allowed_sources, registry="default")
    sim.run(2)
    assert (sim.serving, sim.status["desired"]["version"]) == ("8", "9")
    sim.desired = replace(sim.desired, message="the source of 10 is not allowed", version="10")
    sim.run(2)
    held = [event.message for event in sim.events if event.reason == "RolloutHeld"]
    assert len(held) == 2
    assert "the source of 10" in held[1]


@pytest.mark.parametrize(
    "refused",
    [
        registry_invalid("default", "pennant", InvalidRegistryError("spec.url is no address")),
        registry_not_found("default", "pennant"),
        Refused("NotAllowed", "ModelRegistry default does not allow the model 'news'"),
    ],
    ids=lambda refused: refused.reason,
)
def test_a_refusal_that_names_no_version_says_nothing_of_which_is_desired(refused):
    sim = moved_to_8()
    before = sim.status["desired"]
    sim.events.clear()
    sim.desired = refused
    sim.run(2)
    assert sim.status["desired"] == before
    sim.desired = version(8)
    sim.run(2)
    assert [e.reason for e in sim.events if e.reason != "Stalled"] == []
    assert sim.status["desired"] == before


def test_a_modelregistry_that_cannot_be_used_stalls_nothing_that_serves():
    sim = moved_to_8()
    sim.desired = registry_invalid(
        "default", "pennant", InvalidRegistryError("spec.url is no address")
    )
    sim.run(2)
    assert (sim.serving, sim.status["summary"]) == ("8", "Serving")
    assert sim.condition("Stalled") == ("False", "NotStalled")
    assert sim.condition("AliasInSync") == ("False", "RegistryInvalid")
    first = Simulation(sim.desired)
    first.run(2)
    assert first.condition("Stalled") == ("True", "RegistryInvalid")


def test_where_nothing_serves_it_takes_a_person():
    sim = Simulation(
        source_refusal("s3://elsewhere/9", REGISTRY.allowed_sources, registry="default")
    )
    sim.run(4)
    assert sim.condition("Stalled") == ("True", "SourceNotAllowed")
    assert [event.reason for event in sim.events] == ["Stalled"]


def test_a_change_of_the_spec_that_is_held_is_not_settled_and_a_move_of_the_alias_is():
    sim = moved_to_8()
    sim.behaviour["9"] = fails("DownloadFailed", container="fetch")
    sim.desired = version(9)
    sim.run(3)
    sim.now += timedelta(minutes=20)
    sim.run(2)
    assert (sim.status["summary"], sim.condition("Reconciling")[0]) == ("Held", "False")
    sim.desired = version(8)
    sim.run(4)
    sim.specify(**pin(9))
    sim.desired = version(9)
    sim.run(3)
    sim.now += timedelta(minutes=20)
    sim.run(2)
    assert sim.status["summary"] == "Held"
    assert sim.condition("Reconciling") == ("True", "Held")
