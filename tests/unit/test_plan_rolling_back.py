"""Rolling: what stops a roll, and how it goes back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pennant_testing.memory.object_builders import version
from pennant_testing.memory.rolls import (
    NO_SURGE,
    SURGE,
    answering,
    halfway,
    leads_to,
    moved,
    on_both,
    rolled,
    rollout,
    settled,
    until,
)
from pennant_testing.memory.simulated_answers import answered
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved
from pennant_testing.memory.simulated_pods import (
    becomes_ready,
    crashed,
    fails,
    fetches_other_bytes,
    hangs,
    stays_pending,
)

pytestmark = pytest.mark.unit

WELL = answered(100)


def test_pods_that_fetched_other_bytes_get_no_traffic():
    sim = moved({"maxSurge": 2, "maxUnavailable": 0})
    sim.behaviour["8"] = fetches_other_bytes
    sim.run(8)
    assert sim.status["rejected"][0]["reason"] == "DigestMismatch"
    assert (leads_to(sim), sim.sizes()) == ("blue", {"blue": 3, "green": 0})


@pytest.mark.parametrize("rolling", [SURGE, NO_SURGE])
def test_a_version_that_cannot_load_is_rejected_on_its_first_pods(rolling):
    sim = moved(rolling)
    sim.behaviour["8"] = fails("LoadFailed")
    sim.run(12)
    assert sim.status["rejected"][0]["reason"] == "LoadFailed"
    assert (leads_to(sim), sim.sizes()) == ("blue", {"blue": 3, "green": 0})
    assert sim.condition("Ready") == ("True", "Serving")


def aborted(sim: Simulation) -> None:
    sim.act("Abort")


def pointed_back(sim: Simulation) -> None:
    sim.desired = version(7)


def suspended(sim: Simulation) -> None:
    sim.specify(suspend=True)


def answers_badly(sim: Simulation) -> None:
    sim.answers = {"7": WELL, "8": answered(60, errors=40)}
    sim.work()


def crashes(sim: Simulation) -> None:
    sim.behaviour["8"] = crashed(sim.now + timedelta(seconds=1))


def another_spec(sim: Simulation) -> None:
    sim.specify(rollout={**sim.owner["spec"]["rollout"], "strategy": "BlueGreen"})
    pointed_back(sim)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (aborted, "Rejected"),
        (pointed_back, "InSync"),
        (suspended, "Suspended"),
        (answers_badly, "Rejected"),
        (crashes, "Rejected"),
        (another_spec, "InSync"),
    ],
)
@pytest.mark.parametrize(("rolling", "least"), [(SURGE, 3), (NO_SURGE, 2)])
def test_back_is_the_same_steps_reversed(event, reason, rolling, least):
    sim = halfway(rolling)
    event(sim)
    for _ in range(30):
        sim.step()
        assert sum(sim.sizes().values()) <= 3 + int(rolling["maxSurge"])
        if event is not crashes:
            assert answering(sim) >= least
            assert sim.condition("Ready")[0] == "True"
        if "alongside" not in sim.status:
            break
        assert sim.condition("Reconciling")[0] == "True"
    sim.run(4)
    assert (leads_to(sim), sim.sizes()) == ("blue", {"blue": 3, "green": 0})
    assert sim.condition("AliasInSync")[1] == reason
    assert sim.serving == "7"


def test_bad_answers_beside_good_ones_are_told_with_the_numbers_of_both():
    sim = halfway()
    answers_badly(sim)
    sim.run(3)
    (entry,) = sim.status["rejected"]
    assert (entry["version"], entry["reason"]) == ("8", "ErrorsInBake")
    assert entry["message"] == (
        "40 of 60 answers were errors (5xx) since it has the traffic; of version 7, beside it, "
        "0 of 100 were"
    )


def test_answers_are_held_against_those_of_the_same_seconds():
    """What was slow for both is the world's, whatever the minute before was like."""
    sim = moved()
    sim.answers = {"7": answered(100, median=0.01), "8": answered(100, median=0.01)}
    sim.work()
    until(sim, on_both)
    sim.answers = {"7": answered(400, errors=200), "8": answered(400, errors=200)}
    sim.run(12)
    assert sim.serving == "8"


def test_slowness_is_judged_once_the_newest_pod_is_warm():
    sim = until(moved(), on_both)
    sim.behaviour["8"] = lambda pod: (
        becomes_ready(pod) if pod.name.startswith("green-0") else hangs(pod)
    )
    sim.answers = {"7": answered(100, median=0.01), "8": answered(100, median=2.0)}
    sim.work()
    sim.step()
    assert "rejected" not in sim.status
    sim.run(8)
    assert sim.status["rejected"][0]["reason"] == "SlowInBake"


def test_after_the_roll_bad_answers_are_an_alarm():
    sim = moved()
    sim.answers = {"7": WELL, "8": WELL}
    sim.work()
    until(sim, rolled)
    sim.answers["8"] = answered(400, errors=300)
    sim.run(5)
    assert sim.serving == "8"
    assert sim.status["answers"]["reason"] == "ErrorsInBake"
    assert "nothing to go back to" in sim.message("AliasInSync")


def test_a_step_without_room_is_held_goes_back_and_is_tried_again():
    sim = halfway()
    sim.behaviour["8"] = lambda pod: (
        stays_pending(pod) if pod.name.startswith("green-1") else becomes_ready(pod)
    )
    sim.pods["green"] = sim.pods["green"][:1]
    sim.work()
    sim.now += timedelta(minutes=31)
    sim.run(6)
    candidate = sim.status["candidate"]
    assert candidate["reason"] == "Unschedulable"
    assert (leads_to(sim), sim.sizes()) == ("blue", {"blue": 3, "green": 0})
    sim.behaviour["8"] = becomes_ready
    until(sim, rolled, looks=60)


def test_a_roll_of_many_steps_has_the_time_of_an_attempt_for_each():
    sim = moved(replicas=20)
    until(sim, lambda s: s.sizes()["green"] == 10, looks=60)
    sim.now += timedelta(minutes=44)
    sim.run(2)
    for _ in range(6):
        sim.now += timedelta(minutes=20)
        sim.run(2)
    assert "reason" not in sim.status.get("candidate", {})
    until(sim, rolled, looks=60)


def test_superseded_halfway_it_goes_back_first():
    sim = halfway()
    sim.desired = version(9)
    until(sim, lambda s: leads_to(s) == "blue")
    assert sim.sizes()["blue"] == 3
    until(sim, lambda s: s.serving == "9" and settled(s))
    assert sim.sizes() == {"blue": 0, "green": 3}


def test_what_blue_green_keeps_warm_takes_the_traffic_back_at_once():
    sim = alias_moved(8, replicas=3, rollout={"bake": "2m"})
    sim.run(4)
    assert sim.serving == "8"
    sim.specify(rollout=rollout())
    sim.run(2)
    sim.desired = version(7)
    sim.run(2)
    assert sim.serving == "7"
    assert leads_to(sim) == "blue"


def test_a_crash_of_one_pod_of_many_waits_for_its_restart():
    sim = until(moved(replicas=5), lambda s: s.sizes()["green"] == 3)
    sim.behaviour["8"] = lambda pod: (
        crashed(sim.now)(pod) if pod.name.startswith("green-1") else becomes_ready(pod)
    )
    sim.work()
    sizes = sim.step() and sim.sizes()
    sim.run(3)
    assert sim.sizes() == sizes
    assert "rejected" not in sim.status
    sim.behaviour["8"] = becomes_ready
    until(sim, rolled)
