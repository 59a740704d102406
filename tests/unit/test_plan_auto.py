"""Auto: beside what serves where there is room, else as Recreate, once; and it says why."""

from datetime import timedelta

import pytest

from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved
from pennant_testing.memory.simulated_pods import becomes_ready, fails, hangs

pytestmark = pytest.mark.unit

AUTO = {"strategy": "Auto"}


def crowded(replicas: int = 1, **rollout: object) -> Simulation:
    """Version 8 is wanted, and there is no room beside version 7."""
    sim = alias_moved(replicas=replicas, rollout={**AUTO, **rollout})
    sim.lacks.room = replicas
    sim.work()
    return sim


def waited(sim: Simulation) -> None:
    """For as long as Auto waits."""
    sim.run(3)
    sim.now += timedelta(minutes=2)


def test_where_there_is_room_it_is_blue_green():
    sim = alias_moved(rollout=AUTO)
    for _ in range(8):
        sim.step()
        assert "Deployment/rec-lobby" not in sim.children
    assert (sim.serving, sim.status["summary"]) == ("8", "Baking")


@pytest.mark.parametrize(("shortage", "pods"), [("room", 3), ("quota", 5)])
def test_where_there_is_none_what_serves_makes_way_after_a_while(shortage, pods):
    sim = alias_moved(replicas=3, rollout=AUTO)
    setattr(sim.lacks, shortage, pods)
    sim.work()
    sim.run(11, seconds=10)
    assert sim.sizes() == {"blue": 3, "green": 3}
    assert sim.condition("Ready") == ("True", "Serving")
    sim.run(25, seconds=2)
    assert sim.serving == "8"
    assert sim.sizes() == {"blue": 0, "green": 3}


def test_it_says_why_before_it_does_so():
    sim = crowded()
    waited(sim)
    sim.step()
    assert sim.status["candidate"]["strategy"] == "Recreate"
    assert sim.sizes() == {"blue": 1, "green": 1}
    assert "Deployment/rec-lobby" not in sim.children
    assert "Auto takes it as Recreate: it found no room beside what serves within 2m" in (
        sim.message("Reconciling")
    )
    sim.run(20)
    assert sim.serving == "8"
    assert "candidate" not in sim.status


def test_a_version_after_it_is_tried_beside_what_serves_first():
    sim = crowded()
    waited(sim)
    sim.step()
    sim.desired = version(9)
    sim.run(5)
    assert "strategy" not in sim.status["candidate"]
    assert sim.sizes()["blue"] == 1
    sim.run(25, seconds=8)
    assert sim.serving == "9"


def test_one_that_is_rejected_brings_back_what_made_way():
    sim = crowded()
    sim.behaviour["8"] = fails("LoadFailed")
    waited(sim)
    sim.run(15)
    assert sim.serving == "7"
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.condition("AliasInSync") == ("False", "Rejected")
    assert sim.sizes() == {"blue": 1, "green": 0}


def test_where_others_use_the_room_what_serves_makes_way_once():
    sim = crowded()
    sim.behaviour["8"] = hangs
    waited(sim)
    sim.run(3)
    sim.lacks.room = 0  # somebody else is quicker
    sim.run(5)
    assert sim.sizes() == {"blue": 0, "green": 1}
    sim.run(13, seconds=10)
    assert "though what served had made way, so others use it" in sim.message("AliasInSync")
    sim.lacks.room = 1
    sim.run(5)
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.status["candidate"]["strategy"] == "BlueGreen"
    for _ in range(40):
        sim.step(seconds=50)
        assert sim.sizes()["blue"] == 1


def test_deadlines_shorter_than_its_patience_end_it_no_sooner():
    sim = crowded(deadlines={"schedule": "30s", "fetch": "10m", "load": "5m"})
    sim.behaviour["8"] = becomes_ready
    sim.run(20, seconds=3)
    assert sim.serving == "8"
