"""Who gets the room where there is not enough of it for both slots."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_operator.decide.seen.observed import Unknown
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_testing.memory.cluster_state import SLOTS
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import (
    PodTemplate,
    becomes_ready,
    crashes,
    fails,
    hangs,
    stays_pending,
)

pytestmark = pytest.mark.unit

QUOTA = {"type": "ReplicaFailure", "status": "True", "message": 'exceeded quota: "compute"'}


class Nodes:
    """They have room for so many pods, first come, first served."""

    def __init__(self, sim: Simulation, room: int) -> None:
        self.sim, self.room = sim, room
        self.placed: set[str] = set()
        self.seen: set[str] = set()

    def take(self, then: PodTemplate) -> PodTemplate:
        """Pods that become this once they have a node."""

        def template(pod: PodFacts) -> PodFacts:
            there = {p.uid for slot in SLOTS for p in self.sim.pods[slot]}
            self.placed -= self.seen - there
            self.seen |= there
            if len(self.placed) < self.room:
                self.placed.add(pod.uid)
            return then(pod) if pod.uid in self.placed else stays_pending(pod)

        return template


def refuse_pods(sim: Simulation, slot: str, message: str, lost: int = 1) -> None:
    """The slot lost pods, and may make no others."""
    held = sim.edit(slot)
    held["status"] = {**held["status"], "conditions": [{**QUOTA, "message": message}]}
    del sim.pods[slot][:lost]
    sim.lacks.refuses.add(slot)


def test_what_answers_nothing_for_a_minute_makes_room_for_the_fix():
    sim = serving(7, replicas=1)
    nodes = Nodes(sim, 1)
    sim.behaviour = {"7": nodes.take(crashes), "8": nodes.take(becomes_ready)}
    sim.run(3)
    sim.desired = version(8)
    sim.run(50)
    assert sim.sizes() == {"blue": 1, "green": 1}
    sim.run(20)
    assert sim.serving == "8"
    sim.run(10)
    assert sim.sizes() == {"blue": 0, "green": 1}
    assert sim.condition("Ready") == ("True", "Serving")


def test_what_made_room_stays_away_for_the_fix_of_the_fix_and_is_not_kept_warm():
    sim = serving(7, replicas=1)
    nodes = Nodes(sim, 1)
    sim.behaviour = {"7": nodes.take(crashes), "8": nodes.take(hangs)}
    sim.behaviour["9"] = nodes.take(becomes_ready)
    sim.run(3)
    sim.desired = version(8)
    while sim.sizes() != {"blue": 0, "green": 1}:
        sim.step()
    sim.desired = version(9)
    for _ in range(6):
        sim.step()
        assert sim.sizes()["blue"] == 0 or sim.serving == "9"
    assert sim.serving == "9"
    assert sim.condition("AliasInSync") == ("True", "InSync")
    assert sim.status["summary"] == "Serving"


def test_what_made_room_comes_back_when_the_alias_points_at_it_again():
    sim = serving(7, replicas=1)
    nodes = Nodes(sim, 1)
    sim.behaviour = {"7": nodes.take(crashes), "8": nodes.take(hangs)}
    sim.run(3)
    sim.desired = version(8)
    while sim.sizes() != {"blue": 0, "green": 1}:
        sim.step()
    sim.desired = version(7)
    sim.run(3)
    assert sim.sizes() == {"blue": 1, "green": 0}


def test_what_made_room_comes_back_when_the_fix_is_none():
    sim = serving(7, replicas=1)
    nodes = Nodes(sim, 1)
    sim.behaviour = {"7": nodes.take(crashes), "8": nodes.take(fails("LoadFailed"))}
    sim.run(3)
    sim.desired = version(8)
    while sim.sizes() != {"blue": 0, "green": 1}:
        sim.step()
    sim.step()
    assert "made room for the next revision" in sim.message("Ready")
    sim.run(10)
    assert sim.condition("AliasInSync") == ("False", "Rejected")
    assert sim.sizes() == {"blue": 1, "green": 0}
    assert sim.serving == "7"


def test_what_serves_gives_no_room_away_however_long_another_waits():
    sim = serving(7, replicas=1)
    nodes = Nodes(sim, 1)
    sim.behaviour = {"7": nodes.take(becomes_ready), "8": nodes.take(becomes_ready)}
    sim.run(3)
    sim.desired = version(8)
    sim.run(200, seconds=10)
    assert sim.sizes()["blue"] == 1
    assert sim.condition("Ready") == ("True", "Serving")


def test_a_candidate_without_room_leaves_it_to_what_serves_at_once():
    sim = serving(7)
    nodes = Nodes(sim, 3)
    sim.behaviour = {"7": nodes.take(becomes_ready), "8": nodes.take(hangs)}
    sim.run(3)
    sim.desired = version(8)
    sim.run(5)
    assert sim.condition("AliasInSync") == ("False", "RollingOut")
    sim.pods["blue"].pop()  # its node is gone, and the candidate is quicker
    nodes.room = 2
    sim.run(6)
    assert sim.condition("AliasInSync") == ("False", "Held")
    assert "what serves is short of room and has precedence" in sim.message("AliasInSync")
    assert sim.sizes() == {"blue": 2, "green": 0}
    assert sum(p.ready for p in sim.pods["blue"]) == 2


def test_the_clock_of_a_shortage_starts_with_it():
    deadlines = {"schedule": "2m", "fetch": "10m", "load": "1h"}
    sim = serving(7, rollout={"deadlines": deadlines})
    sim.desired, sim.behaviour["8"] = version(8), hangs
    sim.run(10, seconds=60)
    assert "shortSince" not in sim.status["candidate"]
    sim.specify(replicas=3)
    sim.lacks.quota = 5
    sim.step(seconds=60)
    assert "shortSince" in sim.status["candidate"]
    assert sim.condition("AliasInSync") == ("False", "RollingOut")
    sim.run(2, seconds=60)
    assert sim.condition("AliasInSync") == ("False", "Held")


@pytest.mark.parametrize(
    "message",
    [
        "maximum cpu usage per Container is 1, but limit is 2",
        "failed quota: compute: must specify limits.cpu for: serve",
        'violates PodSecurity "restricted:latest"',
    ],
    ids=["LimitRange", "a quota that wants it said", "a policy"],
)
def test_what_a_policy_refuses_of_what_serves_keeps_nobody_from_the_fix(message):
    sim = serving(7)
    refuse_pods(sim, "blue", message)
    sim.desired, sim.behaviour["8"] = version(8), hangs
    sim.run(5)
    assert sim.condition("AliasInSync") == ("False", "RollingOut")
    del sim.behaviour["8"]
    sim.run(2)
    assert sim.serving == "8"


def test_a_policy_that_refuses_the_candidate_takes_nothing_from_what_may_recover():
    sim = serving(7, replicas=1)
    sim.behaviour["7"] = crashes
    sim.run(3)
    sim.desired, sim.lacks.quota = version(8), 1
    sim.run(2)
    sim.lacks.quota = None
    refuse_pods(sim, "green", "maximum cpu usage per Container is 1, but limit is 2")
    sim.behaviour["8"] = hangs
    sim.run(100)
    assert sim.sizes()["blue"] == 1


def test_a_shortage_that_is_over_in_size_takes_no_candidate_down():
    sim = serving(7, replicas=2)
    sim.desired, sim.behaviour["8"] = version(8), hangs
    sim.run(3)
    refuse_pods(sim, "blue", QUOTA["message"], lost=0)
    sim.step()
    assert sim.condition("AliasInSync") == ("False", "RollingOut")


def test_a_held_candidate_leaves_the_quota_alone_until_what_serves_has_it():
    sim = serving(7)
    sim.desired, sim.behaviour["8"] = version(8), hangs
    sim.run(5)
    sim.lacks.quota = 4
    sim.specify(replicas=3)
    while sim.condition("AliasInSync") != ("False", "Held"):
        sim.step()
    sim.step()
    refuse_pods(sim, "blue", QUOTA["message"])  # its controller backs off, and tries later
    for _ in range(100):
        sim.step()
        refuse_pods(sim, "blue", QUOTA["message"], lost=0)
        assert not sim.pods["green"] or sim.pods["green"][0].terminating
    assert sim.status["candidate"]["attempts"] > 1


def test_what_serves_and_was_deleted_by_hand_comes_back_beside_a_candidate():
    sim = serving(7, replicas=1)
    sim.behaviour |= {"7": crashes, "8": hangs}
    sim.run(90)
    sim.children.pop("Deployment/rec-blue")
    sim.desired = version(8)
    sim.run(3)
    assert sim.sizes() == {"blue": 1, "green": 1}


def test_what_comes_back_from_no_pods_has_a_minute_before_it_gives_way():
    sim = serving(7, replicas=1)
    sim.specify(replicas=0)
    sim.run(3)
    sim.now += timedelta(hours=8)
    sim.desired = version(8)
    sim.lacks.quota = 0
    sim.specify(replicas=1)
    for _ in range(40):
        sim.step()
        assert sim.sizes()["blue"] == 1


def test_in_a_bake_a_larger_size_is_first_for_what_has_the_traffic():
    sim = alias_moved()
    sim.run(4)
    assert (sim.serving, sim.status["summary"]) == ("8", "Baking")
    sim.lacks.quota = 9
    sim.specify(replicas=6)
    sim.run(4)
    assert sum(p.ready for p in sim.pods["green"]) == 6
    assert len(sim.pods["blue"]) == 3


def test_in_an_outage_of_the_registry_a_candidate_follows_the_size_to_nothing():
    sim = serving(7)
    sim.desired, sim.behaviour["8"] = version(8), hangs
    sim.run(3)
    sim.desired = Unknown("RegistryUnreachable", "it does not answer", sim.now)
    sim.specify(replicas=0)
    sim.run(3)
    assert sim.sizes() == {"blue": 0, "green": 0}


def test_in_a_bake_what_is_warm_leaves_quota_to_what_has_the_traffic_and_keeps_a_pod():
    sim = alias_moved(replicas=3)
    sim.run(4)
    sim.lacks.quota = 6
    sim.specify(replicas=4)
    sim.run(6)
    assert sum(p.ready for p in sim.pods["green"]) == 4
    sim.lacks.quota = 5
    sim.specify(replicas=9)
    sim.run(6)
    assert sim.sizes() == {"blue": 1, "green": 9}


def lacks_its_claim(pod: PodFacts) -> PodFacts:
    words = 'persistentvolumeclaim "model-cache" not found'
    return replace(pod, node=None, unschedulable=words, claims=("model-cache",))


def test_a_claim_that_is_missing_is_no_room_that_a_candidate_has_to_give_back():
    sim = alias_moved(pods=lacks_its_claim)
    sim.run(2)
    there = {pod.uid for pod in sim.pods["blue"]}
    sim.behaviour["7"] = lambda p: becomes_ready(p) if p.uid in there else lacks_its_claim(p)
    sim.pods["blue"].pop()
    sim.run(3)
    assert [pod.ready for pod in sim.pods["blue"]] == [True, False]
    assert sim.status["summary"] == "RollingOut"
    assert "claim model-cache is there" in sim.message("Reconciling")
