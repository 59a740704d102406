"""Answers in the bake of what was gone back to, is tried again, or has nothing to go back to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pennant_testing.memory.judged_bakes import WELL, answers_like, bakes, rejection, serves
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_answers import answered
from pennant_testing.memory.simulated_cluster import Simulation
from pennant_testing.memory.simulated_pods import becomes_ready, fails

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("how", ["alias", "Pin"])
@pytest.mark.parametrize("minutes", [0, 5])
def test_what_one_goes_back_to_is_not_held_against_how_fast_the_other_one_failed(
    how: str, minutes: int
):
    sim = answers_like(bakes(answered(400, median=0.05)), answered(400, median=0.002))
    sim.now += timedelta(minutes=minutes)
    sim.run(3)
    if how == "Pin":
        sim.act("Pin", version="7")
    else:
        sim.desired = version(7)
    sim.run(12)
    assert (sim.serving, rejection(sim)) == ("7", {})


def test_what_is_tried_again_is_judged_again():
    sim = answers_like(bakes(), answered(60, median=2), looks=8)
    assert (sim.serving, rejection(sim)["reason"]) == ("7", "SlowInBake")
    sim.act("Retry")
    sim.run(12)
    assert (sim.serving, rejection(sim)["reason"]) == ("7", "SlowInBake")
    assert [entry["result"] for entry in sim.status["history"]].count("Rejected") == 2


def test_the_first_version_warns_once_and_stays():
    sim = Simulation(version(7))
    sim.answers["7"] = answered(60, errors=60)
    sim.run(4)
    sim.now += timedelta(seconds=10)
    sim.run(6)
    assert (sim.serving, rejection(sim)) == ("7", {})
    assert sim.status["answers"]["reason"] == "ErrorsInBake"
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.condition("AliasInSync") == ("True", "InSync")
    assert "60 of 60 answers were errors" in sim.message("AliasInSync")
    events = [event.message for event in sim.events if event.reason == "AnswersBad"]
    assert len(events) == 1
    assert events[0].endswith("; version 7 keeps the traffic: there is nothing to go back to")
    sim.now += timedelta(minutes=3)
    decision = sim.run(3)
    assert "answers" not in sim.status
    assert decision.requeue_after is None


def test_the_first_version_is_looked_at_seldom():
    sim = Simulation(version(7))
    sim.answers["7"] = WELL
    sim.run(8)
    assert sim.step().requeue_after == 10.0


def test_where_the_warm_pods_are_gone_there_is_a_warning_and_no_rejection():
    sim = bakes()
    sim.behaviour["7"] = fails("LoadFailed")
    answers_like(sim, WELL, looks=1)
    answers_like(sim, answered(60, errors=60))
    assert (sim.serving, rejection(sim)) == ("8", {})
    assert [e.reason for e in sim.events].count("AnswersBad") == 1
    sim.behaviour["7"] = becomes_ready
    sim.run(4)
    assert (sim.serving, rejection(sim)["reason"]) == ("7", "ErrorsInBake")


def test_slowness_is_judged_when_pods_had_time_to_warm_up_and_errors_at_once():
    for answers, looks in ((answered(60, median=2), 2), (answered(60, errors=60), 0)):
        sim = serves(bake="10m")
        sim.desired, sim.answers["8"] = version(8), answers
        while sim.serving == "7":
            sim.step()
        for _ in range(looks):
            sim.step()
        assert (sim.serving, rejection(sim)) == ("8", {})
        sim.run(8 if looks else 2)
        assert sim.serving == "7"
        assert rejection(sim)["reason"] == ("SlowInBake" if looks else "ErrorsInBake")
