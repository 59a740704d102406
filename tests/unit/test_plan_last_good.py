"""A cluster made anew whose alias points at a version that is rejected, as `plan` decides."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_operator.decide.goal.last_good import wants_last_good
from pennant_operator.decide.seen.observed import ModelVersion, Unknown
from pennant_operator.decide.seen.spec import watch_of
from pennant_operator.decide.times import format_time
from pennant_testing.memory.object_builders import model_deployment, version
from pennant_testing.memory.simulated_cluster import Simulation
from pennant_testing.memory.simulated_pods import becomes_ready, fails, hangs

pytestmark = pytest.mark.unit

SEVEN = version(7)
SILENT = Unknown("WaitingForRegistry", "it does not answer")


def made_anew(last_good: ModelVersion | None = SEVEN, **spec: object) -> Simulation:
    """Nothing is remembered, the alias points at version 8, and that cannot load."""
    sim = Simulation(version(8), owner=model_deployment(**spec))
    sim.behaviour["8"] = fails("LoadFailed")
    sim.last_good = last_good
    return sim


def wants(sim: Simulation) -> bool:
    watch = watch_of(sim.owner)
    assert watch is not None
    return wants_last_good(sim.observe(), watch)


def test_it_starts_from_the_last_good_version_once_the_desired_one_was_rejected():
    sim = made_anew()
    sim.run(5)
    comes = sim.status
    assert (comes["candidate"]["version"], comes["rejected"][0]["version"]) == ("7", "8")
    assert sim.condition("Stalled") == ("False", "NotStalled")
    assert sim.condition("Reconciling") == ("True", "RollingOut")
    assert "version 7, by its tag the last good one here, comes up" in sim.message("AliasInSync")
    sim.run(8)
    assert sim.serving == "7"
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.condition("AliasInSync") == ("False", "Rejected")
    assert sim.status["desired"]["version"] == "8"


def test_it_is_a_start_and_the_alias_is_followed_on():
    sim = made_anew()
    sim.run(13)
    sim.run(5)
    assert sim.status["rejected"][0]["version"] == "8"
    assert len(sim.status["rejected"]) == 1
    sim.desired, sim.last_good = version(9), None
    sim.run(8)
    assert (sim.serving, sim.condition("AliasInSync")) == ("9", ("True", "InSync"))


def test_what_comes_up_as_that_goes_on_whatever_the_registry_says_of_it_then():
    sim = made_anew()
    sim.run(5)
    sim.last_good = None
    sim.step()
    sim.desired = SILENT
    sim.run(8)
    assert sim.serving == "7"


def test_what_a_person_pinned_for_a_while_is_not_gone_on_with_as_that():
    sim = made_anew(None)
    sim.run(5)
    sim.behaviour["7"] = hangs
    sim.act("Pin", version="7", expiresAt=format_time(sim.now + timedelta(seconds=5)))
    sim.run(3)
    assert sim.status["candidate"]["version"] == "7"
    sim.run(6)
    assert "candidate" not in sim.status
    assert sim.condition("Stalled") == ("True", "Rejected")


def test_a_last_good_version_that_fails_too_is_rejected_and_not_tried_again():
    sim = made_anew()
    sim.behaviour["7"] = fails("LoadFailed")
    sim.run(20)
    assert {entry["version"] for entry in sim.status["rejected"]} == {"7", "8"}
    assert sim.serving is None
    assert sim.condition("Stalled") == ("True", "Rejected")
    assert "version 8 was rejected" in sim.message("Stalled")


@pytest.mark.parametrize("good", [None, version(8)])
def test_without_another_good_version_nothing_serves(good: ModelVersion | None):
    sim = made_anew(good)
    sim.run(12)
    assert (sim.serving, sim.condition("Stalled")) == (None, ("True", "Rejected"))


@pytest.mark.parametrize(
    "spec", [{"suspend": True}, {"replicas": 0}, {"model": {"name": "news", "version": "8"}}]
)
def test_who_stops_rollouts_or_asks_for_that_version_gets_no_other(
    spec: dict[str, object],
):
    sim = made_anew()
    sim.run(3)
    sim.owner = {**sim.owner, "spec": {**sim.owner["spec"], **spec}}
    sim.run(8)
    assert sim.serving is None


def test_neither_does_a_registry_whose_brake_holds():
    sim = made_anew()
    assert sim.registry is not None
    sim.run(3)
    sim.registry = replace(sim.registry, braked=True)
    sim.run(8)
    assert sim.serving is None


def test_where_something_served_here_its_own_status_counts():
    sim = made_anew()
    sim.behaviour["8"] = becomes_ready
    sim.run(6)
    assert sim.serving == "8"
    sim.desired, sim.behaviour["9"] = version(9), fails("LoadFailed")
    sim.run(8)
    assert (sim.serving, sim.condition("AliasInSync")) == ("8", ("False", "Rejected"))
    assert not wants(sim)


def test_it_is_asked_for_when_the_desired_version_was_rejected_and_not_before():
    sim = made_anew(None)
    sim.step()
    assert not wants(sim)
    sim.run(4)
    assert wants(sim)
    sim.desired = SILENT
    assert not wants(sim)
