"""Rolling: how sizes and traffic move step by step, on and back, and what is said meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from pennant_operator.decide.intent import Apply
from pennant_operator.decide.plan import plan
from pennant_operator.decide.seen.observed import Absent, Unknown
from pennant_testing.memory.object_builders import NOW, version
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
from pennant_testing.truth.kstatus import CURRENT, verdict

pytestmark = pytest.mark.unit

SURGE = {"maxSurge": 1, "maxUnavailable": 0}
NO_SURGE = {"maxSurge": 0, "maxUnavailable": 1}
WELL = answered(100)


def rollout(rolling: dict[str, Any] | None = None, **others: Any) -> dict[str, Any]:
    return {"strategy": "Rolling", "bake": "2m", "rolling": rolling or SURGE, **others}


def moved(rolling: dict[str, Any] | None = None, replicas: int = 3, **spec: Any) -> Simulation:
    """Version 7 serves on three pods, and the alias is at version 8 now."""
    return alias_moved(8, replicas=replicas, rollout=rollout(rolling), **spec)


def leads_to(sim: Simulation) -> str:
    selector = sim.children["Service/rec"]["spec"]["selector"]
    return str(selector.get("pennant.dev/slot", "both"))


def answering(sim: Simulation) -> int:
    """Ready pods behind the Service, as they are now."""
    slots = sim.pods if leads_to(sim) == "both" else [leads_to(sim)]
    return sum(p.ready and not p.terminating for slot in slots for p in sim.pods[slot])


def until(sim: Simulation, reached: Callable[[Simulation], bool], looks: int = 40) -> Simulation:
    for _ in range(looks):
        if reached(sim):
            return sim
        sim.step()
    raise AssertionError(f"{sim.sizes()} {sim.status['summary']} {sim.message('AliasInSync')}")


def on_both(sim: Simulation) -> bool:
    return leads_to(sim) == "both"


def halfway(rolling: dict[str, Any] | None = None, **spec: Any) -> Simulation:
    """Version 8 has two of three pods, both slots have traffic."""
    return until(moved(rolling, **spec), lambda sim: sim.sizes()["green"] == 2)


def settled(sim: Simulation) -> bool:
    return "alongside" not in sim.status and verdict(sim.owner) == CURRENT


def rolled(sim: Simulation) -> bool:
    return sim.serving == "8" and settled(sim)


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
