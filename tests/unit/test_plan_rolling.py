"""Rolling: how sizes and traffic move step by step, on and back, and what is said meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pennant_operator.decide.intent import Apply
from pennant_operator.decide.plan import plan
from pennant_operator.decide.seen.observed import Absent, Unknown
from pennant_testing.memory.object_builders import NOW, model_deployment, version
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
from pennant_testing.memory.simulated_cluster import Simulation
from pennant_testing.memory.simulated_pods import (
    becomes_ready,
    hangs,
)
from pennant_testing.truth.kstatus import CURRENT, verdict

pytestmark = pytest.mark.unit

WELL = answered(100)


@pytest.mark.parametrize(
    ("rolling", "most", "least"),
    [
        (SURGE, 4, 3),
        (NO_SURGE, 3, 2),
        ({"maxSurge": 2, "maxUnavailable": 1}, 5, 2),
        ({"maxSurge": "100%", "maxUnavailable": 0}, 6, 3),
        ({"maxSurge": "34%", "maxUnavailable": "34%"}, 5, 2),
        ({"maxSurge": "0%", "maxUnavailable": "25%"}, 3, 2),  # both come to none
    ],
)
def test_no_more_pods_than_the_surge_and_no_fewer_answer_than_may_be_away(rolling, most, least):
    sim = moved(rolling)
    seen = []
    while sim.serving == "7" or not settled(sim):
        sim.step()
        seen.append(leads_to(sim))
        assert sum(sim.sizes().values()) <= most
        assert answering(sim) >= least
        assert len(seen) < 40
    assert [slot for slot, after in zip(seen, [*seen[1:], ""], strict=True) if slot != after] == [
        "blue",
        "both",
        "green",
    ]
    assert sim.sizes() == {"blue": 0, "green": 3}


def test_at_each_step_status_and_selector_are_of_all_pods_that_answer():
    sim = until(moved(), on_both)
    while sim.status.get("alongside"):
        status = plan(sim.observe(), sim.now).status
        assert status is not None
        if "alongside" not in status:
            break
        assert status["readyReplicas"] == answering(sim)
        assert status["replicas"] == sum(sim.sizes().values())
        assert status["selector"] == "pennant.dev/deployment=rec"
        assert status["alongside"]["version"] == "8"
        assert status["serving"]["version"] == "7"
        assert verdict({**sim.owner, "status": status}) != CURRENT
        sim.step()
    until(sim, rolled)
    assert sim.status["selector"] == "pennant.dev/deployment=rec,pennant.dev/slot=green"
    assert "nothing stays warm" in sim.message("AliasInSync")


def test_the_digest_is_pinned_with_the_first_traffic_and_before_there_are_more_pods():
    sim = moved()
    sim.desired = version(8, tag=False)
    decision = sim.step()
    while not on_both(sim):
        assert "ConfigMap/rec-digests" not in {
            f"{each.manifest['kind']}/{each.manifest['metadata']['name']}"
            for each in decision.writes
            if isinstance(each, Apply)
        }
        decision = sim.step()
    names = [w.manifest["kind"] for w in decision.writes if isinstance(w, Apply)]
    assert names.index("ConfigMap") < names.index("Service")
    assert sim.sizes() == {"blue": 3, "green": 1}


@pytest.mark.parametrize("replicas", [1, 2, 5, 12])
def test_another_size_halfway_ends_with_that_size(replicas):
    sim = halfway()
    sim.specify(replicas=replicas)
    for _ in range(40):
        sim.step()
        assert answering(sim) >= min(replicas, 3)
    assert sim.sizes() == {"blue": 0, "green": replicas}


def test_no_pods_and_back_begins_anew():
    sim = halfway()
    sim.specify(replicas=0)
    sim.run(4)
    assert (leads_to(sim), sim.sizes()) == ("blue", {"blue": 0, "green": 0})
    assert sim.condition("AliasInSync")[1] == "ScaledToZero"
    sim.specify(replicas=2)
    until(sim, rolled)


def test_a_registry_that_is_silent_stops_no_roll_that_is_under_way():
    sim = halfway()
    sim.desired = Unknown("RegistryUnreachable", "it does not answer", NOW)
    sim.run(14)
    assert (sim.serving, sim.sizes()) == ("8", {"blue": 0, "green": 3})


def test_what_nobody_knows_moves_nothing_on_or_back():
    sim = halfway()
    sim.step()
    before = sim.sizes()
    sim.registry = None
    sim.desired = Unknown("RegistryNotFound", "there is none", NOW)
    sim.specify(model={"name": "other", "alias": "production"})
    sim.run(6)
    assert (leads_to(sim), sim.sizes()) == ("both", before)
    assert verdict(sim.owner) != CURRENT
    sim.specify(replicas=6)
    sim.run(3)
    assert sum(sim.sizes().values()) == 6
    assert sim.sizes()["green"] == before["green"]


def test_what_nobody_knows_before_the_first_pods_passed_grows_into_no_room_of_theirs():
    sim = moved(NO_SURGE)
    sim.behaviour["8"] = hangs
    until(sim, lambda each: each.sizes() == {"blue": 2, "green": 1})
    sim.desired = Unknown("WaitingForRegistry", "not asked yet")
    sim.specify(model={"name": "news", "alias": "canary"})
    sim.run(4)
    assert (leads_to(sim), sim.sizes()) == ("blue", {"blue": 2, "green": 1})


def test_an_alias_that_is_removed_lets_both_go_where_that_is_asked_for():
    sim = halfway(onAliasRemoved="ScaleDown")
    sim.desired = Absent("AliasNotSet", "the alias is not set")
    sim.run(4)
    assert (leads_to(sim), sim.sizes()) == ("none", {"blue": 0, "green": 0})
    assert sim.condition("Ready") == ("False", "ScaledDown")


def test_a_service_that_is_deleted_halfway_leads_to_both_again():
    sim = halfway()
    del sim.children["Service/rec"]
    sim.step()
    assert leads_to(sim) == "both"
    assert answering(sim) >= 3
    until(sim, rolled)


def test_a_selector_that_somebody_widened_is_put_right():
    sim = moved()
    sim.desired = version(7)
    service = sim.children["Service/rec"]
    spec = {**service["spec"], "selector": {"pennant.dev/deployment": "rec"}}
    sim.children["Service/rec"] = {**service, "spec": spec}
    sim.run(2)
    assert leads_to(sim) == "blue"


def test_another_strategy_takes_over_when_the_roll_is_done():
    sim = halfway()
    sim.specify(rollout={"bake": "2m"})
    until(sim, lambda s: "alongside" not in s.status)
    assert (sim.serving, sim.sizes()) == ("8", {"blue": 0, "green": 3})


def test_the_operator_that_died_before_its_status_knows_who_answers():
    sim = moved()
    until(sim, lambda s: s.pods["green"] != [])
    before = sim.owner
    until(sim, on_both)
    sim.owner = {**before, "metadata": sim.owner["metadata"]}
    sim.step()
    assert sim.status["alongside"]["version"] == "8"
    assert sim.status["readyReplicas"] == 4


def test_while_both_answer_it_is_looked_at_every_two_seconds_at_least():
    sim = halfway()
    sim.behaviour["8"] = lambda pod: becomes_ready(pod) if "-0-" in pod.name else hangs(pod)
    sim.work()
    sim.now += timedelta(minutes=3)
    assert sim.step().requeue_after == 2.0


def test_where_nothing_serves_the_first_version_is_proved_by_all_its_pods():
    sim = Simulation(version(7), owner=model_deployment(rollout=rollout()))
    sim.step()
    sim.specify(replicas=3)
    sim.step()
    assert sim.serving is None
    sim.run(2)
    assert (sim.serving, answering(sim)) == ("7", 3)
