"""Canary: a candidate gets a share of the requests, step by step, before it gets all of them."""

import json
from datetime import timedelta
from typing import Any

import pytest

from pennant_operator.decide.intent import AnnotatePod
from pennant_operator.decide.seen.observed import Unknown
from pennant_testing.memory.object_builders import NOW, version
from pennant_testing.memory.simulated_answers import answered
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved
from pennant_testing.memory.simulated_pods import becomes_ready, fails, hangs, stays_pending

pytestmark = pytest.mark.unit

STEPS = [{"weight": "10", "pause": "1m"}, {"weight": "50", "pause": "1m"}]
BY_HAND = [{"weight": "10"}, {"weight": "50"}]


def canary(pods: Any = becomes_ready, *, replicas: int = 4, **rollout: Any) -> Simulation:
    """Version 7 serves, and the alias points at 8 now, which answers well."""
    steps, by = rollout.pop("steps", STEPS), rollout.pop("by", {})
    spec = {"strategy": "Canary", "bake": "2m", "canary": {"steps": steps, "by": by}, **rollout}
    sim = alias_moved(8, pods, rollout=spec, replicas=replicas)
    sim.answers = {"7": answered(900), "8": answered(100)}
    return sim


def weights(sim: Simulation) -> set[str]:
    """Percent that the pods with traffic are told to hand over; "0": nothing."""
    assert sim.active is not None
    told = [
        json.loads(pod.shares or "{}") for pod in sim.pods[sim.active[0]] if not pod.terminating
    ]
    return {each.get("handOver", {}).get("percent", "0") for each in told}


def leads_to(sim: Simulation) -> str:
    """The slot that the candidate's Service leads to."""
    service = sim.children.get("Service/rec-candidate")
    return service["spec"]["selector"]["pennant.dev/slot"] if service else "none"


def at_first_step(sim: Simulation) -> Simulation:
    sim.run(6)
    assert (weights(sim), leads_to(sim), sim.serving) == ({"10"}, "green", "7")
    return sim


def stopped(sim: Simulation) -> bool:
    return weights(sim) <= {"0"} and leads_to(sim) == "none"


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
        (answered(900, median=0.001), answered(40, median=0.009)),
    ],
)
def test_a_candidate_is_no_worse_than_what_serves_on_the_same_traffic(serves, candidate):
    sim = at_first_step(canary())
    sim.answers = {"7": serves, "8": candidate}
    sim.run(4)
    assert weights(sim) == {"10"}


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
