"""What people do to the Service by hand, and what becomes of what had the traffic."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_operator.decide.seen.termination import KILLED, Failure
from pennant_operator.decide.times import format_time
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_cluster import alias_moved, serving
from pennant_testing.memory.simulated_pods import becomes_ready, crashes, first_fails, hangs

pytestmark = pytest.mark.unit


def test_what_had_the_traffic_stays_warm_when_somebody_points_the_selector_elsewhere():
    sim = serving(7)
    sim.desired, sim.behaviour["8"] = version(8), first_fails
    sim.run(3)
    sim.aim(selector="green")
    for _ in range(5):
        sim.step()
        assert sim.serving == "8"
        assert sim.sizes() == {"blue": 2, "green": 2}
    assert sim.status["summary"] == "Baking"
    sim.desired = version(7)
    sim.run(2)
    assert sim.serving == "7"


def test_an_annotation_that_is_edited_beside_the_selector_moves_nothing():
    sim = serving(7)
    before = sim.status
    sim.aim(slot="green")
    sim.run(3)
    assert (sim.active[0], sim.serving) == ("blue", "7")
    assert sim.status == before


@pytest.mark.parametrize("what", ["selector", "slot"])
def test_no_edit_gives_the_traffic_to_an_empty_slot_while_nothing_answers(what):
    sim = alias_moved()
    sim.run(4)
    sim.now += timedelta(minutes=5)
    sim.run(4)
    sim.behaviour["8"] = crashes
    sim.run(2)
    sim.aim(**{what: "blue"})
    sim.run(3)
    assert (sim.active[0], sim.serving) == ("green", "8")
    assert sim.sizes() == {"blue": 0, "green": 2}


def test_what_serves_and_was_deleted_is_not_said_to_have_made_room():
    sim = serving(7)
    sim.children.pop("Deployment/rec-blue")
    sim.pods["blue"].clear()
    sim.step()
    assert "pods are being created" in sim.message("Ready")
    sim.run(2)
    assert sim.condition("Ready") == ("True", "Serving")


def test_pods_that_were_added_in_the_bake_and_never_got_ready_were_no_crash():
    sim = alias_moved()
    sim.run(4)
    sim.behaviour["8"] = lambda pod: (becomes_ready if _first(pod) else _killed_later(sim))(pod)
    sim.specify(replicas=4)
    sim.run(6)
    assert sim.serving == "8"
    assert not sim.status.get("rejected")


def _first(pod):
    return int(pod.name.split("-")[1]) < 2


def _killed_later(sim):
    failure = Failure("serve", KILLED, "ended from outside", 137, at=sim.now)
    return lambda pod: replace(hangs(pod), attempts=2, failure=failure)


def test_a_bake_that_somebody_dates_into_the_future_lasts_no_longer_than_one_from_now():
    sim = alias_moved()
    sim.run(4)
    sim.aim(since=format_time(sim.now + timedelta(days=9)))
    sim.run(4, seconds=60)
    assert sim.status["summary"] == "Serving"
    assert sim.sizes() == {"blue": 0, "green": 2}


def test_pods_that_somebody_took_come_back_until_the_lobby_waits_for_their_successor():
    sim = alias_moved(8, rollout={"strategy": "Recreate"})
    sim.step()
    sim.edit("blue")["spec"]["replicas"] = 0
    sim.step()
    assert sim.sizes() == {"blue": 2, "green": 0}
    sim.run(12)
    assert sim.serving == "8"


@pytest.mark.parametrize("steps", [4, 6])
def test_a_slot_that_is_edited_beside_the_way_to_the_lobby_moves_nothing(steps):
    sim = alias_moved(8, hangs, rollout={"strategy": "Recreate"})
    sim.run(steps)
    sim.aim(slot="gone")
    sim.step()
    assert sim.condition("Ready") == ("False", "HandingOver")
    assert sim.children["Service/rec"]["spec"]["selector"] == {"pennant.dev/lobby": "rec"}
    assert (sim.serving, sim.sizes()["blue"]) == ("7", 0)


def test_a_slot_that_is_edited_while_both_have_traffic_moves_nothing():
    sim = alias_moved(8, rollout={"strategy": "Rolling"})
    sim.run(2)
    assert sim.status["alongside"]["version"] == "8"
    sim.aim(slot="gone")
    sim.step()
    assert sim.children["Service/rec"]["spec"]["selector"] == {"pennant.dev/deployment": "rec"}
    sim.run(8)
    assert (sim.serving, sim.status["summary"]) == ("8", "Serving")
