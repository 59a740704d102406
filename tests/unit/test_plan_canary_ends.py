"""Whatever ends a canary takes its share away; and where there is none, all comes at once."""

from datetime import timedelta

import pytest

from pennant_testing.memory.canaries import (
    BY_HAND,
    at_first_step,
    canary,
    leads_to,
    stopped,
    weights,
)
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_cluster import Simulation
from pennant_testing.memory.simulated_pods import becomes_ready, hangs, stays_pending

pytestmark = pytest.mark.unit


def superseded(sim: Simulation) -> None:
    sim.desired = version(9)


def alias_back(sim: Simulation) -> None:
    sim.desired = version(7)


def suspended(sim: Simulation) -> None:
    sim.specify(suspend=True)


def held_by_a_person(sim: Simulation) -> None:
    sim.act("Hold")


def aborted(sim: Simulation) -> None:
    sim.act("Abort")


def to_nothing(sim: Simulation) -> None:
    sim.specify(replicas=0)


def another_strategy(sim: Simulation) -> None:
    sim.specify(rollout={"strategy": "BlueGreen", "bake": "2m"})


ENDS = [superseded, alias_back, suspended, held_by_a_person, aborted, to_nothing, another_strategy]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
@pytest.mark.parametrize("grows", [False, True])
def test_whatever_ends_a_canary_takes_the_share_away_at_once(end, grows):
    sim = at_first_step(canary())
    if grows:
        sim.behaviour["8"] = lambda pod: becomes_ready(pod) if "-0-" in pod.name else hangs(pod)
        sim.now += timedelta(minutes=1)
        sim.run(3)
        assert (sim.sizes()["green"], weights(sim)) == (2, {"10"})
    end(sim)
    sim.run(2)
    assert stopped(sim)
    assert sim.serving == "7"
    sim.step()
    assert "canary" not in sim.status


def test_a_held_candidate_loses_its_share_and_begins_again():
    sim = at_first_step(canary(steps=BY_HAND))
    sim.run(3, seconds=3600)
    assert weights(sim) == {"10"}  # the deadlines are long over, and all is well
    sim.behaviour["8"] = hangs
    sim.run(3)
    assert weights(sim) == {"10"}
    assert "notReadySince" in sim.status["canary"]
    sim.now += timedelta(minutes=6)
    sim.run(2)
    assert sim.status["candidate"]["reason"] == "DeadlineExceeded"
    assert stopped(sim)
    sim.behaviour["8"] = becomes_ready
    sim.now += timedelta(seconds=31)
    at_first_step(sim)
    assert "notReadySince" not in sim.status["canary"]


def test_a_record_from_before_there_were_shares_gets_all_at_once_and_the_status_says_so():
    sim = canary()
    (revision,) = sim.records
    serve = sim.records[revision].container
    serve["env"] = [each for each in serve["env"] if each["name"] != "PENNANT_TRAFFIC_FILE"]
    sim.behaviour["8"] = stays_pending
    sim.run(3)
    assert sim.sizes()["green"] == 4
    assert "all of it at once: version 7 was rolled out before" in sim.message("Reconciling")
    sim.behaviour["8"] = becomes_ready
    sim.run(5)
    assert (sim.serving, stopped(sim)) == ("8", True)


def test_what_has_the_traffic_and_answers_nothing_for_a_minute_can_share_nothing():
    sim = canary(hangs)
    sim.behaviour["7"] = hangs
    sim.run(3)
    assert sim.sizes()["green"] == 1
    sim.now += timedelta(seconds=61)
    sim.run(2)
    assert (sim.sizes()["green"], sim.serving) == (4, "7")
    assert "answers nothing" in sim.message("Reconciling")
    sim.behaviour["8"] = becomes_ready
    sim.run(3)
    assert sim.serving == "8"


def test_the_way_back_in_the_bake_takes_no_steps():
    sim = at_first_step(canary())
    sim.act("Promote")
    sim.run(6)
    assert sim.serving == "8"
    sim.desired = version(7)
    sim.run(3)
    assert (sim.serving, stopped(sim)) == ("7", True)


def test_what_was_good_here_gets_all_at_once_however_long_ago_it_served():
    sim = at_first_step(canary())
    sim.act("Promote")
    sim.run(6)
    assert sim.serving == "8"
    sim.now += timedelta(hours=1)
    sim.run(4)
    assert sum(sim.sizes().values()) == 4
    sim.desired = version(7)
    for _ in range(12):
        sim.step()
        assert stopped(sim)
    assert sim.serving == "7"


def test_steps_that_change_meanwhile_count_at_once():
    sim = at_first_step(canary(steps=BY_HAND))
    steps = [{"weight": "5"}, {"weight": "30"}]
    rollout = sim.owner["spec"]["rollout"]
    sim.specify(rollout={**rollout, "canary": {"steps": steps}})
    sim.run(3)
    assert weights(sim) == {"5"}


@pytest.mark.parametrize("gone", ["Service/rec-candidate", "Deployment/rec-green"])
def test_what_somebody_deletes_comes_back(gone):
    sim = at_first_step(canary())
    del sim.children[gone]
    sim.run(8)
    assert (weights(sim), leads_to(sim), sim.sizes()["green"]) == ({"10"}, "green", 1)


def test_a_service_that_somebody_deletes_comes_back_first():
    sim = at_first_step(canary())
    del sim.children["Service/rec"]
    sim.run(2)
    assert (sim.serving, weights(sim)) == ("7", {"10"})


def test_a_step_that_waits_writes_nothing():
    sim = at_first_step(canary(steps=BY_HAND))
    sim.run(3)
    status = sim.status
    for _ in range(20):
        decision = sim.step(60)
        assert (decision.writes, decision.status) == ((), status)
