"""What no answer of a registry does, and what a version that cannot be had does not move."""

import pytest

from pennant_operator.decide.seen.observed import Absent, Refused, Unknown, Unresolved
from pennant_testing.memory.object_builders import NOW, version
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import becomes_ready

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "answer",
    [
        Unknown("RegistryUnreachable", "the registry does not answer", NOW),
        Unknown("WaitingForRegistry", "not asked yet"),
        Absent("AliasNotSet", "alias production is not set"),
        Absent("ModelNotFound", "model news is not there"),
        Unresolved("VersionNotResolved", "its run is gone", "8"),
        Unresolved("ModelNotReadable", "not for this account"),
        Refused("NotAllowed", "namespace team may not use it"),
    ],
    ids=lambda answer: answer.reason,
)
def test_no_answer_of_the_registry_takes_down_what_serves(answer):
    sim = serving(7)
    sim.desired = answer
    sim.run(20, seconds=60)
    assert sim.serving == "7"
    assert sim.writes == []
    assert sim.condition("Ready") == ("True", "Serving")


@pytest.mark.parametrize(
    "answer",
    [
        Unknown("RegistryUnreachable", "down", NOW),
        Absent("ModelNotFound", "no registered model 'news': perhaps an empty database"),
        Unresolved("VersionNotResolved", "its run was deleted meanwhile", "8"),
        Unresolved("ModelNotReadable", "not for this account any more"),
    ],
    ids=lambda answer: answer.reason,
)
def test_an_outage_in_mid_rollout_does_not_take_the_candidate_down(answer):
    sim = alias_moved(pods=lambda pod: pod)
    sim.run(3)
    sim.desired = answer
    sim.run(3)
    assert sim.sizes() == {"blue": 2, "green": 2}
    sim.behaviour["8"] = becomes_ready
    sim.run(3)
    assert sim.serving == "8"


def test_an_alias_at_a_version_that_cannot_be_had_is_not_in_sync_and_moves_nothing():
    sim = serving(7)
    sim.desired = Unresolved("VersionNotResolved", "alias production points at version 8.", "8")
    sim.run(20, seconds=60)
    assert (sim.serving, sim.writes) == ("7", [])
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.condition("Stalled") == ("False", "NotStalled")
    assert sim.condition("AliasInSync") == ("False", "VersionNotResolved")
    assert sim.status["desired"]["version"] == "8"
    assert sim.status["summary"] == "Serving"
    sim.desired = version(7)
    sim.run(3)
    assert sim.condition("AliasInSync") == ("True", "InSync")


def test_what_was_never_there_says_the_same_when_that_is_confirmed():
    sim = Simulation(Unresolved("AliasNotSet", "the alias points at no version."))
    sim.run(3)
    first = sim.status
    sim.desired = Absent("AliasNotSet", "the alias points at no version.")
    sim.run(3)
    assert sim.status == first


def test_a_candidate_that_is_not_wanted_any_more_gets_no_traffic_while_another_cannot_be_had():
    sim = alias_moved(pods=lambda pod: pod)
    sim.run(3)
    sim.desired = Unresolved("VersionNotResolved", "alias production points at version 9.", "9")
    sim.behaviour["8"] = becomes_ready
    sim.run(20)
    assert (sim.serving, sim.status["desired"]["version"]) == ("7", "9")
    sim.desired = version(8)
    sim.run(3)
    assert sim.serving == "8"
