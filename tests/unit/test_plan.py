"""Rollouts as `plan` decides them, told over a cluster in memory."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_operator.decide.intent import Apply
from pennant_operator.decide.plan import wants_pods
from pennant_testing.memory.object_builders import model_deployment, version
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import becomes_ready, hangs

pytestmark = pytest.mark.unit


def test_the_first_version_comes_up_and_gets_the_traffic():
    sim = Simulation(version(7))
    sim.run(4)
    assert sim.serving == "7"
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.condition("AliasInSync") == ("True", "InSync")
    assert sim.status["serving"]["digest"] == "sha-of-7"
    assert [e.reason for e in sim.events] == ["AliasMoved", "RolloutStarted", "TrafficMoved"]


def test_nothing_changed_means_nothing_written():
    sim = serving(7)
    before = sim.status
    found = sim.step()
    assert found.writes == ()
    assert found.events == ()
    assert found.status == before
    assert found.requeue_after is None


def test_an_alias_move_brings_up_the_other_slot_and_moves_traffic_when_all_pods_are_ready():
    sim = alias_moved()
    sim.step()
    assert sim.serving == "7"
    assert sim.sizes() == {"blue": 2, "green": 2}
    assert sim.status["summary"] == "RollingOut"
    assert sim.condition("Ready") == ("True", "Serving")
    sim.step()
    assert sim.serving == "8"
    assert sim.status["summary"] == "Baking"
    assert sim.condition("Reconciling") == ("False", "Settled")


def test_the_move_of_the_traffic_tells_how_long_the_rollout_took():
    sim = alias_moved()
    assert sim.step(seconds=4).durations == {}
    assert sim.step().durations["total"] == 4
    assert sim.step().durations == {}


def test_traffic_waits_for_the_last_pod():
    sim = alias_moved(pods=lambda pod: becomes_ready(pod) if "-0-" in pod.name else pod)
    sim.run(20)
    assert sim.serving == "7"
    sim.behaviour["8"] = becomes_ready
    sim.run(2)
    assert sim.serving == "8"


def test_the_old_slot_stays_warm_through_the_bake_and_is_then_emptied():
    sim = alias_moved()
    sim.run(10)
    assert sim.sizes() == {"blue": 2, "green": 2}
    sim.now += timedelta(minutes=2)
    sim.run(4)
    assert sim.sizes() == {"blue": 0, "green": 2}
    assert sim.status["summary"] == "Serving"
    assert "BakePassed" in [e.reason for e in sim.events]


def test_going_back_within_the_bake_only_moves_traffic():
    sim = alias_moved()
    sim.run(5)
    sim.writes.clear()
    sim.desired = version(7)
    sim.step()
    assert sim.serving == "7"
    assert [w.manifest["kind"] for w in sim.writes] == ["Service"]


def test_going_back_after_the_bake_uses_the_recorded_manifest():
    sim = serving(7)
    recorded = dict(sim.records)
    sim.desired = version(8)
    sim.run(5)
    sim.now += timedelta(minutes=3)
    sim.run(4)
    sim.desired = version(7)
    sim.run(6)
    assert sim.serving == "7"
    assert sim.records.items() >= recorded.items()


def test_a_third_version_supersedes_the_candidate_which_leaves_first():
    sim = alias_moved(pods=lambda pod: pod)
    sim.run(3)
    sim.desired = version(9)
    sim.step()
    assert sim.sizes() == {"blue": 2, "green": 0}
    revisions = {p.revision for p in sim.pods["green"] if not p.terminating}
    assert revisions == set()
    sim.run(8)
    assert sim.serving == "9"


def test_a_slots_template_changes_only_without_pods():
    sim = serving(7)
    for number in (8, 9, 10, 8, 7):
        sim.desired = version(number)
        for _ in range(7):
            before = {k: list(v) for k, v in sim.pods.items()}
            held = {
                slot: (sim.children.get(f"Deployment/rec-{slot}") or {})
                .get("metadata", {})
                .get("labels", {})
                .get("pennant.dev/revision")
                for slot in before
            }
            found = sim.step()
            for write in found.writes:
                if isinstance(write, Apply) and write.manifest["kind"] == "Deployment":
                    slot = write.manifest["metadata"]["labels"]["pennant.dev/slot"]
                    revision = write.manifest["metadata"]["labels"]["pennant.dev/revision"]
                    assert held[slot] == revision or before[slot] == []


def test_suspend_follows_no_move_but_replicas():
    sim = serving(7)
    sim.owner["spec"] |= {"suspend": True, "replicas": 3}
    sim.desired = version(8)
    sim.run(5)
    assert sim.serving == "7"
    assert sim.sizes() == {"blue": 3, "green": 0}
    assert sim.status["summary"] == "Suspended"
    assert sim.condition("AliasInSync") == ("False", "Suspended")


def test_a_change_of_the_pods_is_a_new_revision_and_rolls():
    sim = serving(7)
    sim.owner["spec"]["serving"] = {"env": [{"name": "A", "value": "b"}]}
    sim.run(4)
    assert sim.serving == "7"
    assert len({e["revision"] for e in sim.status["history"]}) == 2


def test_a_new_operator_image_rolls_nothing_by_itself():
    sim = serving(7)
    sim.images = replace(sim.images, serving="other:2")
    sim.run(4)
    assert sim.writes == []


def test_a_digest_tag_that_is_added_later_rolls_nothing():
    sim = Simulation(version(7, tag=False))
    sim.run(10)
    sim.writes.clear()
    sim.desired = version(7, tag=True)
    sim.run(4)
    assert sim.writes == []


def test_without_a_digest_tag_what_the_pods_fetched_is_pinned_before_traffic_moves():
    sim = Simulation(version(7, tag=False))
    sim.run(4)
    assert sim.serving == "7"
    kinds = [w.manifest["metadata"]["name"] for w in sim.writes if isinstance(w, Apply)]
    assert kinds.index("rec-digests") < len(kinds) - 1 - kinds[::-1].index("rec")
    assert sim.status["serving"]["digest"] == "sha-of-7"


def test_pods_that_fetched_different_bytes_never_get_traffic():
    sim = serving(7)
    sim.behaviour["8"] = lambda pod: replace(becomes_ready(pod), digest=f"sha-{pod.name}")
    sim.desired = version(8, tag=False)
    sim.run(5)
    assert sim.serving == "7"
    assert sim.status["rejected"][0]["reason"] == "DigestMismatch"


def test_history_is_newest_first_and_bounded():
    sim = serving(1)
    for number in range(2, 16):
        sim.desired = version(number)
        sim.run(12)
    history = sim.status["history"]
    assert len(history) == 10
    assert history[0]["version"] == "15"
    assert len(sim.records) <= 12


def test_a_pod_that_its_dead_node_never_ends_keeps_its_slot_for_its_grace_only():
    sim = serving(7)
    sim.desired, sim.behaviour["8"] = version(8), hangs
    sim.run(4)
    sim.lacks.dead = "node-1"
    sim.desired = version(9)
    sim.run(20)
    assert "waits for room in slot green" in sim.message("Reconciling")
    assert {p.revision for p in sim.pods["green"]} == {sim.pods["green"][0].revision}
    sim.run(60)
    assert sim.serving == "9"


def test_a_pod_that_does_not_end_and_is_ready_holds_the_rollout_and_a_person_is_told():
    sim = serving(7)
    sim.desired, sim.behaviour["8"] = version(8), hangs
    sim.run(4)
    sim.desired = version(9)
    sim.step()
    stays = replace(sim.pods["green"][0], ready=True, terminating=True, ends_by=sim.now)
    for _ in range(31):
        sim.pods["green"] = [stays]
        sim.step(seconds=60)
    assert sim.condition("AliasInSync") == ("False", "Held")
    assert "longer than 30m (spec.rollout.deadlines.schedule)" in sim.message("AliasInSync")
    assert stays.name in sim.message("AliasInSync")
    assert sim.status["candidate"]["reason"] == "SlotOccupied"
    assert sim.serving == "7"
    sim.run(400, seconds=5)
    assert sim.serving == "9"


def test_nothing_is_made_before_there_is_anything_to_prove_it():
    sim = Simulation(version(8), owner=model_deployment(replicas=0))
    sim.run(4)
    assert sim.writes == []
    assert sim.condition("Ready") == ("False", "NothingServedYet")
    sim.specify(replicas=1)
    sim.run(6)
    assert sim.serving == "8"


def test_nobody_looks_at_pods_for_a_spec_that_cannot_be_understood():
    sim = serving(7)
    assert not wants_pods(sim.observe(), sim.now)
    sim.desired = version(8)
    assert wants_pods(sim.observe(), sim.now)
    sim.specify(model={"name": "rec"})
    assert not wants_pods(sim.observe(), sim.now)
