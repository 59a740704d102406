"""An alias that was removed, with onAliasRemoved: ScaleDown, told over a cluster in memory."""

from functools import partial

import pytest

from pennant_operator.decide.seen.observed import Absent, Refused, Unknown
from pennant_testing.memory import simulated_cluster
from pennant_testing.memory.object_builders import NOW, model_deployment, version
from pennant_testing.memory.simulated_cluster import Simulation
from pennant_testing.memory.simulated_pods import fails

pytestmark = pytest.mark.unit

REMOVED = Absent("AliasNotSet", "the alias 'production' of 'news' points at no version.")
EMPTIED = Absent("StageEmpty", "the stage 'Production' of 'news' holds no version.")
DOWN = Unknown("RegistryUnreachable", "down", NOW)


serving = partial(simulated_cluster.serving, onAliasRemoved="ScaleDown")


def removed(number: int = 7, **spec) -> Simulation:
    """The same after its alias was removed."""
    sim = serving(number, **spec)
    sim.desired = REMOVED
    sim.run(5)
    return sim


@pytest.mark.parametrize("answer", [REMOVED, EMPTIED], ids=lambda answer: answer.reason)
def test_a_removed_alias_takes_both_slots_to_zero_and_keeps_everything_else(answer):
    sim = serving(7)
    before = set(sim.children) | set(sim.records)
    sim.desired = answer
    sim.run(5)
    assert sim.sizes() == {"blue": 0, "green": 0}
    assert set(sim.children) | set(sim.records) == before
    assert sim.serving is None
    assert sim.condition("Ready") == ("False", "ScaledDown")
    assert sim.condition("AliasInSync") == ("False", answer.reason)
    assert sim.condition("Stalled") == ("False", "NotStalled")
    assert sim.status["summary"] == "Waiting"
    assert [e.reason for e in sim.events] == ["ScaledDown"]


def test_what_is_scaled_down_is_idle():
    sim = removed()
    before = sim.status
    found = sim.step()
    assert (found.writes, found.events, found.requeue_after) == ((), (), None)
    assert found.status == before


def test_the_service_lets_go_before_any_pod_does():
    sim = serving(7)
    sim.desired = REMOVED
    sim.step()
    assert sim.serving is None
    assert sim.sizes() == {"blue": 2, "green": 0}
    sim.step()
    assert sim.sizes() == {"blue": 0, "green": 0}


def test_an_alias_removed_within_the_bake_takes_the_warm_slot_too():
    sim = serving(7)
    sim.desired = version(8)
    sim.run(4)
    assert sim.status["summary"] == "Baking"
    sim.desired = REMOVED
    sim.run(5)
    assert sim.sizes() == {"blue": 0, "green": 0}


@pytest.mark.parametrize("number", [7, 8])
def test_an_alias_that_is_set_again_brings_its_version_back_and_no_other(number):
    sim = removed(7)
    sim.desired = version(number)
    seen = set()
    for _ in range(6):
        sim.step()
        seen |= {sim.records[pod.revision].version for pods in sim.pods.values() for pod in pods}
    assert seen == {str(number)}
    assert sim.serving == str(number)
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.status["history"][0]["version"] == str(number)


def test_an_alias_that_comes_back_before_the_pods_left_gets_them_at_once():
    sim = serving(7)
    sim.desired = REMOVED
    sim.step()
    sim.desired = version(7)
    sim.step()
    assert sim.serving == "7"
    assert sim.sizes() == {"blue": 2, "green": 0}


def test_a_version_that_is_rejected_after_the_removal_does_not_bring_the_old_one_back():
    sim = removed(7)
    sim.behaviour["8"] = fails("LoadFailed")
    sim.desired = version(8)
    sim.run(8)
    assert sim.sizes() == {"blue": 0, "green": 0}
    assert sim.condition("Ready") == ("False", "ScaledDown")
    assert sim.condition("Stalled") == ("True", "Rejected")


@pytest.mark.parametrize(
    "answer", [DOWN, Unknown("WaitingForRegistry", "not asked yet"), Refused("NotAllowed", "no")]
)
def test_an_outage_or_a_restart_brings_nothing_back_and_says_the_same(answer):
    sim = removed()
    sim.writes.clear()
    sim.desired = answer
    sim.run(5)
    assert sim.writes == []
    assert sim.condition("Ready") == ("False", "ScaledDown")


def test_an_operator_killed_between_the_two_writes_ends_at_the_same_place():
    sim = serving(7)
    sim.desired = REMOVED
    sim.step()
    sim.desired = Unknown("WaitingForRegistry", "not asked yet")
    sim.run(3)
    assert sim.sizes() == {"blue": 2, "green": 0}
    sim.desired = REMOVED
    sim.run(4)
    assert sim.sizes() == {"blue": 0, "green": 0}
    assert sim.condition("Ready") == ("False", "ScaledDown")


@pytest.mark.parametrize(
    "answer",
    [
        Absent("ModelNotFound", "no registered model 'news': perhaps an empty database"),
        Absent("VersionNotFound", "no version 7"),
        Refused("NotAllowed", "namespace team may not use it"),
        DOWN,
    ],
    ids=lambda answer: answer.reason,
)
def test_nothing_but_an_alias_removed_from_a_model_that_is_there_scales_down(answer):
    sim = serving(7)
    sim.desired = answer
    sim.run(20, seconds=60)
    assert sim.serving == "7"
    assert sim.writes == []


def test_suspend_keeps_what_serves_when_the_alias_is_removed():
    sim = serving(7, suspend=False)
    sim.owner["spec"]["suspend"] = True
    sim.desired = REMOVED
    sim.run(5)
    assert sim.serving == "7"
    assert sim.writes == []


def test_an_alias_that_was_never_set_has_served_nothing_yet():
    sim = Simulation(REMOVED, owner=model_deployment(onAliasRemoved="ScaleDown"))
    sim.run(3)
    assert sim.condition("Ready") == ("False", "NothingServedYet")
    assert sim.events == []


def test_a_removal_lifts_no_rejection():
    sim = serving(7)
    sim.behaviour["8"] = fails("LoadFailed")
    sim.desired = version(8)
    sim.run(8)
    sim.desired = REMOVED
    sim.run(5)
    sim.desired = version(8)
    sim.run(5)
    assert sim.sizes() == {"blue": 0, "green": 0}
    assert sim.status["rejected"][0]["version"] == "8"


def message(sim: Simulation, kind: str) -> str:
    return next(c["message"] for c in sim.status["conditions"] if c["type"] == kind)


def test_the_message_says_why_nothing_serves_and_what_to_do():
    assert message(removed(), "Ready") == (
        "nothing serves, because what it followed was left without a version while "
        "spec.onAliasRemoved was ScaleDown: the alias 'production' of 'news' points at no version"
    )
