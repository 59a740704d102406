"""Recreate: what serves makes way for its successor, and comes back where that is none."""

from datetime import timedelta

import pytest

from pennant_operator.decide.seen.observed import Unknown, Unresolved
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.recreations import came_back, lobby, moved, selector, stepped, until
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved
from pennant_testing.memory.simulated_pods import (
    becomes_ready,
    crashes,
    fails,
    hangs,
    stays_pending,
)

pytestmark = pytest.mark.unit

LOBBY = {"pennant.dev/lobby": "rec"}


def test_the_lobby_holds_requests_while_one_version_makes_way_for_the_next():
    sim = moved()
    sim.step()
    assert lobby(sim) == {"Deployment/rec-lobby", "Service/rec-pods"}
    assert selector(sim)["pennant.dev/slot"] == "blue"
    sim.step()
    assert selector(sim) == LOBBY
    assert sim.sizes() == {"blue": 2, "green": 0}
    sim.step()
    assert sim.sizes() == {"blue": 0, "green": 0}
    sim.step()
    assert sim.condition("Ready") == ("False", "HandingOver")
    assert sim.condition("Reconciling") == ("True", "RollingOut")
    assert "requests wait in the lobby since" in sim.message("Ready")
    stepped(sim)
    assert sim.serving == "8"
    assert sim.sizes() == {"blue": 0, "green": 2}
    assert not lobby(sim)
    assert sim.condition("AliasInSync") == ("True", "InSync")
    assert sim.status["summary"] == "Serving"


def test_requests_that_wait_go_to_no_pod_before_it_passed():
    sim = moved(pods=hangs)
    until(sim, blue=0, green=2)
    sim.run(3)
    assert sim.children["Service/rec-pods"]["spec"]["selector"]["pennant.dev/slot"] == "blue"
    sim.behaviour["8"] = becomes_ready
    sim.run(2)
    assert sim.children["Service/rec-pods"]["spec"]["selector"]["pennant.dev/slot"] == "green"
    assert sim.serving == "8"


def test_the_lobby_stays_until_every_node_knows_that_it_is_not_needed():
    sim = moved()
    while sim.serving != "8":
        sim.step()
    sim.run(5)
    assert lobby(sim)
    sim.run(8)
    assert not lobby(sim)


@pytest.mark.parametrize("tell", ["Rejected", "Aborted", "suspend", "back", "zero and back"])
def test_what_was_there_before_comes_back(tell):
    sim = moved(pods=fails("LoadFailed") if tell == "Rejected" else hangs)
    until(sim, blue=0, green=2)
    if tell == "Aborted":
        sim.act("Abort")
    elif tell == "suspend":
        sim.specify(suspend=True)
    elif tell == "back":
        sim.desired = version(7)
    elif tell == "zero and back":
        sim.specify(replicas=0)
        sim.run(4)
        assert selector(sim)["pennant.dev/slot"] == "blue"
        sim.desired = version(7)
        sim.specify(replicas=2)
    stepped(sim)
    came_back(sim)


def test_while_it_comes_back_the_status_says_so():
    sim = moved(pods=fails("LoadFailed"))
    until(sim, blue=0, green=2)
    while "Rejected" not in sim.status["summary"]:
        sim.step()
    assert sim.condition("Ready") == ("False", "HandingOver")
    assert sim.condition("Reconciling") == ("True", "Scaling")
    assert "version 7 comes back: once the pods" in sim.message("Ready")
    assert "version 7 answers" not in sim.message("AliasInSync")


@pytest.mark.parametrize("step", range(1, 7))
def test_a_third_version_takes_over_without_a_detour(step):
    sim = moved(pods=hangs)
    sim.run(step)
    sim.desired = version(9)
    down = sim.sizes()["blue"] == 0
    for _ in range(25):
        sim.step()
        assert not (down and sim.sizes()["blue"]), "the old one came back first"
    assert sim.serving == "9"
    assert not lobby(sim)


@pytest.mark.parametrize("step", range(1, 7))
def test_the_alias_may_go_back_at_any_step(step):
    sim = moved(pods=hangs)
    sim.run(step)
    sim.desired = version(7)
    stepped(sim)
    came_back(sim)


def test_a_third_version_that_is_rejected_brings_the_first_back():
    sim = moved(pods=hangs)
    until(sim, blue=0, green=2)
    sim.behaviour["9"] = fails("LoadFailed")
    sim.desired = version(9)
    stepped(sim)
    came_back(sim)
    assert sim.condition("AliasInSync") == ("False", "Rejected")


def test_what_the_world_holds_comes_back_and_tries_again_later():
    sim = moved(pods=stays_pending)
    until(sim, blue=0, green=2)
    sim.now += timedelta(minutes=31)
    sim.step()
    assert sim.condition("AliasInSync") == ("False", "Held")
    stepped(sim, 15)
    came_back(sim)
    sim.behaviour["8"] = becomes_ready
    stepped(sim, 30)
    assert sim.serving == "8"


def test_without_a_lobby_nothing_makes_way():
    sim = moved()
    sim.lacks.lobby = True
    sim.run(5)
    assert "0 of 2 pods of Deployment rec-lobby are ready" in sim.message("Reconciling")
    sim.now += timedelta(minutes=30)
    sim.step()
    assert sim.condition("AliasInSync") == ("False", "Held")
    assert sim.status["candidate"]["reason"] == "LobbyNotReady"
    assert sim.sizes() == {"blue": 2, "green": 0}
    assert sim.condition("Ready") == ("True", "Serving")
    sim.lacks.lobby = False
    sim.run(60)
    assert sim.serving == "8"


def test_a_lobby_that_is_lost_before_anything_made_way_is_not_in_the_way():
    sim = moved()
    sim.run(2)
    assert selector(sim) == LOBBY
    sim.lacks.lobby = True
    sim.work()
    sim.run(2)
    assert selector(sim)["pennant.dev/slot"] == "blue"
    assert sim.sizes() == {"blue": 2, "green": 0}
    sim.lacks.lobby = False
    stepped(sim)
    assert sim.serving == "8"


@pytest.mark.parametrize("key", ["Deployment/rec-lobby", "Service/rec-pods", "Service/rec"])
@pytest.mark.parametrize("step", range(1, 7))
def test_what_somebody_deletes_comes_back_and_the_hand_over_goes_on(step, key):
    sim = moved()
    sim.run(step)
    sim.children.pop(key, None)
    stepped(sim)
    assert sim.serving == "8"
    assert not lobby(sim)
    assert sim.sizes() == {"blue": 0, "green": 2}


@pytest.mark.parametrize("step", range(1, 7))
@pytest.mark.parametrize("replicas", [1, 3])
def test_another_size_is_met_at_any_step(step, replicas):
    sim = moved()
    sim.run(step)
    sim.specify(replicas=replicas)
    sim.lacks.room = replicas
    stepped(sim)
    assert sim.serving == "8"
    assert sim.sizes() == {"blue": 0, "green": replicas}


@pytest.mark.parametrize("step", range(1, 7))
def test_another_strategy_ends_what_was_begun(step):
    sim = moved()
    sim.run(step)
    sim.specify(rollout={"strategy": "BlueGreen"})
    sim.lacks.room = None
    sim.run(40)
    assert sim.serving == "8"
    assert not lobby(sim)


def test_a_candidate_that_waits_beside_what_serves_for_room_gets_it_when_the_strategy_says_so():
    sim = alias_moved(replicas=1)
    sim.lacks.room = 1
    sim.work()
    sim.run(20)
    assert sim.sizes() == {"blue": 1, "green": 1}
    sim.specify(rollout={"strategy": "Recreate"})
    sim.run(20)
    assert sim.serving == "8"
    assert sim.sizes() == {"blue": 0, "green": 1}


def test_in_silence_of_the_registry_the_hand_over_goes_on():
    sim = moved()
    sim.run(3)
    sim.desired = Unknown("RegistryUnreachable", "it does not answer", sim.now)
    stepped(sim)
    assert sim.serving == "8"


def test_a_third_version_that_cannot_be_had_brings_the_first_back():
    sim = moved(pods=hangs)
    until(sim, blue=0, green=2)
    sim.desired = Unresolved("VersionNotResolved", "where its bytes are is not told", "9")
    stepped(sim)
    assert sim.condition("Ready") == ("True", "Serving")
    assert selector(sim)["pennant.dev/slot"] == "blue"


def test_what_answers_nothing_makes_way_likewise():
    sim = moved()
    sim.behaviour["7"] = crashes
    stepped(sim)
    assert sim.serving == "8"


def test_the_first_version_ever_needs_no_lobby():
    sim = Simulation(version(7))
    sim.specify(rollout={"strategy": "Recreate"})
    for _ in range(6):
        sim.step()
        assert not lobby(sim)
    assert sim.serving == "7"


def test_what_wakes_up_with_another_version_to_run_starts_that_one():
    sim = moved(to=7)
    sim.specify(replicas=0)
    sim.run(4)
    sim.desired = version(8)
    sim.run(2)
    sim.specify(replicas=2)
    for _ in range(30):
        sim.step()
        assert sim.sizes()["blue"] == 0
    assert sim.serving == "8"


def test_an_idle_one_writes_nothing_after_it():
    sim = moved()
    stepped(sim)
    sim.writes.clear()
    sim.run(20)
    assert not sim.writes
