"""Canary: a candidate gets a share of the requests, step by step, before it gets all of them."""

import json
from datetime import timedelta
from typing import Any

import pytest

from pennant_operator.decide.intent import AnnotatePod
from pennant_operator.decide.seen.observed import Unknown
from pennant_testing.memory.canaries import (
    BY_HAND,
    at_first_step,
    canary,
    stopped,
    weights,
)
from pennant_testing.memory.object_builders import NOW, version
from pennant_testing.memory.simulated_answers import answered
from pennant_testing.memory.simulated_pods import becomes_ready, fails, hangs

pytestmark = pytest.mark.unit


def test_a_candidate_comes_up_at_the_size_of_its_first_step_and_gets_its_share():
    sim = at_first_step(canary())
    assert sim.sizes() == {"blue": 4, "green": 1}
    told = json.loads(sim.pods["blue"][0].shares)["handOver"]
    revision = sim.status["candidate"]["revision"]
    assert told == {
        "to": "rec-candidate.team.svc:80",
        "revision": revision,
        "version": "8",
        "percent": "10",
        "salt": revision,
    }
    assert {pod.shares for pod in sim.pods["green"]} == {""}
    entry = sim.status["canary"]
    assert (entry["revision"], entry["stepsPassed"], entry["weight"]) == (revision, 0, "10")
    assert sim.status["selector"] == "pennant.dev/deployment=rec"
    assert (sim.status["replicas"], sim.status["summary"]) == (4, "RollingOut")
    assert [e.message for e in sim.events if e.reason == "WeightChanged"] == [
        "version 8 gets 10% of the requests"
    ]


@pytest.mark.parametrize("by", [{"header": "X-User"}, {"cookie": "uid"}])
def test_who_asks_stays_with_a_version_by_what_the_spec_names(by: dict[str, str]):
    sim = at_first_step(canary(by=by))
    assert json.loads(sim.pods["blue"][0].shares)["handOver"]["by"] == by


def test_a_step_is_passed_when_its_time_is_over_and_the_candidate_grows_before_it_gets_more():
    sim = at_first_step(canary())
    sim.behaviour["8"] = hangs
    sim.step()
    sim.now += timedelta(minutes=1)
    sim.run(3)
    assert (sim.sizes()["green"], weights(sim)) == (1, {"10"})  # its pod does not answer
    sim.behaviour["8"] = becomes_ready
    sim.run(3)
    assert (sim.sizes()["green"], weights(sim), sim.status["canary"]["stepsPassed"]) == (
        2,
        {"10"},
        1,
    )
    sim.run(3)
    assert (sim.sizes()["green"], weights(sim)) == (2, {"50"})
    sim.now += timedelta(minutes=1)
    sim.run(6)
    assert (sim.serving, sim.sizes()) == ("8", {"blue": 4, "green": 4})
    assert stopped(sim)
    assert {pod.shares for pods in sim.pods.values() for pod in pods} == {""}
    assert (sim.status["summary"], "canary" in sim.status) == ("Baking", False)
    assert sim.status["answers"]["baseline"]["requests"] == 900
    assert sim.status["selector"] == "pennant.dev/deployment=rec,pennant.dev/slot=green"


def test_nothing_is_acted_on_before_it_is_in_the_status():
    sim = canary()
    for _ in range(90):
        before = sim.status.get("canary", {})
        for write in sim.step().writes:
            if isinstance(write, AnnotatePod) and write.shares:
                told = json.loads(write.shares)["handOver"]
                assert (told["revision"], told["percent"]) == (before["revision"], before["weight"])


@pytest.mark.parametrize("answers", [answered(19), answered(0), "pods do not answer within 1 s"])
def test_a_step_is_not_passed_before_enough_answers_are_known(answers: Any):
    sim = canary()
    sim.answers = {"7": answers if isinstance(answers, str) else answered(900), "8": answers}
    at_first_step(sim)
    sim.run(30, seconds=60)
    assert (weights(sim), sim.status["canary"]["stepsPassed"]) == ({"10"}, 0)
    assert "until 20 of its answers are good" in sim.message("AliasInSync")


def test_where_nobody_is_to_be_asked_the_time_alone_counts():
    sim = at_first_step(canary(answers={"check": "Off"}))
    sim.answers = {}
    sim.now += timedelta(minutes=1)
    sim.run(5)
    assert weights(sim) == {"50"}


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (answered(40, errors=20), "ErrorsInCanary"),
        (answered(40, median=0.3), "SlowInCanary"),
    ],
)
def test_a_candidate_that_answers_badly_is_rejected_and_loses_its_share(answers, reason):
    sim = at_first_step(canary())
    sim.answers["8"] = answers
    sim.step()
    assert sim.status["rejected"][0]["reason"] == reason
    sim.step()
    assert stopped(sim)
    assert (sim.serving, sim.sizes()["green"]) == ("7", 0)
    assert "on the same traffic" in sim.status["rejected"][0]["message"]
    assert "canary" not in sim.status


@pytest.mark.parametrize(
    ("serves", "candidate"),
    [
        (answered(900, errors=400), answered(40, errors=20)),  # as bad as what serves
        (answered(900), answered(19, errors=19)),  # too few
        (answered(900, median=0.002), answered(40, median=0.04)),  # the way there takes as long
    ],
)
def test_a_candidate_is_no_worse_than_what_serves_on_the_same_traffic(serves, candidate):
    sim = at_first_step(canary())
    sim.answers = {"7": serves, "8": candidate}
    sim.run(4)
    assert weights(sim) == {"10"}


def test_without_a_pause_a_step_lasts_until_a_person_says_skip():
    sim = at_first_step(canary(steps=BY_HAND))
    sim.run(5, seconds=3600)
    assert weights(sim) == {"10"}
    assert "until a RolloutAction Skip or Promote" in sim.message("Reconciling")
    sim.act("Skip")
    sim.run(5)
    assert weights(sim) == {"50"}
    assert sim.actions["skip"]["status"]["message"] == "version 8 passed 1 of 2 steps"
    sim.act("Skip", name="again")
    sim.run(6)
    assert sim.serving == "8"
    sim.act("Skip", name="too-late")
    sim.run(2)
    assert sim.actions["too-late"]["status"]["state"] == "Refused"


def test_promote_passes_all_steps_and_full_size_comes_before_the_traffic():
    sim = at_first_step(canary(steps=BY_HAND))
    sim.act("Promote")
    sim.behaviour["8"] = lambda pod: becomes_ready(pod) if "-0-" in pod.name else hangs(pod)
    sim.run(5)
    assert (sim.serving, sim.sizes()["green"], weights(sim)) == ("7", 4, {"10"})
    assert "all of them when 4 of its pods are ready" in sim.message("Reconciling")
    sim.behaviour["8"] = becomes_ready
    sim.run(4)
    assert (sim.serving, stopped(sim)) == ("8", True)


@pytest.mark.parametrize("action", ["Skip", "Promote"])
def test_of_no_canary_nothing_is_passed(action):
    sim = canary()
    sim.desired = version(7)
    sim.run(2)
    sim.act(action)
    sim.run(2)
    said = sim.actions[action.lower()]["status"]
    assert (said["state"], said["message"]) == ("Refused", "no version is at a step of a canary")


def test_what_does_not_come_up_is_rejected_before_it_gets_a_share():
    sim = canary(fails("LoadFailed", attempts=5))
    sim.run(8)
    assert (sim.serving, sim.status["rejected"][0]["reason"]) == ("7", "LoadFailed")
    assert not [w for w in sim.writes if isinstance(w, AnnotatePod)]


def test_a_pod_that_comes_later_is_told_with_the_next_look():
    sim = at_first_step(canary())
    sim.specify(replicas=6)
    sim.run(3)
    assert (len(sim.pods["blue"]), weights(sim)) == (6, {"10"})
    sim.evict("blue")
    sim.run(3)
    assert weights(sim) == {"10"}


def test_the_candidate_grows_and_shrinks_with_the_spec_and_keeps_its_weight():
    sim = at_first_step(canary())
    sim.now += timedelta(minutes=1)
    sim.run(5)
    for replicas, wanted in ((10, 5), (2, 1)):
        sim.specify(replicas=replicas)
        sim.run(4)
        assert (sim.sizes()["green"], weights(sim)) == (wanted, {"50"})


def test_while_the_registry_is_silent_a_canary_goes_on():
    sim = at_first_step(canary())
    sim.desired = Unknown("RegistryUnreachable", "it does not answer", NOW)
    sim.now += timedelta(minutes=1)
    sim.run(5)
    assert weights(sim) == {"50"}
