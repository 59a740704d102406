"""Rollouts as `plan` decides them, told over a cluster in memory."""

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pennant_operator.decide.intent import Apply, Plan
from pennant_operator.decide.manifests.drift import MAX_SET_BACKS
from pennant_operator.decide.plan import plan, wants_pods
from pennant_operator.decide.seen.observed import Absent, Refused, Unknown, Unresolved
from pennant_operator.decide.seen.termination import Failure
from pennant_testing.memory.object_builders import NOW, model_deployment, version
from pennant_testing.memory.simulated_cluster import Simulation, serving
from pennant_testing.memory.simulated_pods import becomes_ready, fails, hangs, stays_pending

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
    sim = serving(7)
    sim.desired = version(8)
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
    sim = serving(7)
    sim.desired = version(8)
    assert sim.step(seconds=4).durations == {}
    assert sim.step().durations["total"] == 4
    assert sim.step().durations == {}


def test_traffic_waits_for_the_last_pod():
    sim = serving(7)
    sim.behaviour["8"] = lambda pod: becomes_ready(pod) if "-0-" in pod.name else pod
    sim.desired = version(8)
    sim.run(20)
    assert sim.serving == "7"
    sim.behaviour["8"] = becomes_ready
    sim.run(2)
    assert sim.serving == "8"


def test_the_old_slot_stays_warm_through_the_bake_and_is_then_emptied():
    sim = serving(7)
    sim.desired = version(8)
    sim.run(10)
    assert sim.sizes() == {"blue": 2, "green": 2}
    sim.now += timedelta(minutes=2)
    sim.run(4)
    assert sim.sizes() == {"blue": 0, "green": 2}
    assert sim.status["summary"] == "Serving"
    assert "BakePassed" in [e.reason for e in sim.events]


def test_going_back_within_the_bake_only_moves_traffic():
    sim = serving(7)
    sim.desired = version(8)
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


def test_a_version_that_cannot_load_is_rejected_and_the_old_one_goes_on():
    sim = serving(7)
    sim.behaviour["8"] = fails("LoadFailed")
    sim.desired = version(8)
    sim.run(8)
    assert sim.serving == "7"
    assert sim.status["summary"] == "Rejected"
    assert sim.status["rejected"][0]["reason"] == "LoadFailed"
    assert sim.condition("AliasInSync") == ("False", "Rejected")
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.condition("Stalled") == ("False", "NotStalled")
    assert sim.sizes() == {"blue": 2, "green": 0}


def test_a_rejected_version_is_not_tried_again_by_itself():
    sim = serving(7)
    sim.behaviour["8"] = fails("LoadFailed")
    sim.desired = version(8)
    sim.run(8)
    sim.behaviour["8"] = becomes_ready
    sim.now += timedelta(days=1)
    sim.run(8)
    assert sim.serving == "7"


def test_a_rejected_version_is_tried_again_after_another_was_desired():
    sim = serving(7)
    sim.behaviour["8"] = fails("LoadFailed")
    sim.desired = version(8)
    sim.run(8)
    sim.desired = version(7)
    sim.run(2)
    sim.behaviour["8"] = becomes_ready
    sim.desired = version(8)
    sim.run(6)
    assert sim.serving == "8"


def test_a_rejection_is_recorded_before_anything_is_taken_down():
    sim = serving(7)
    sim.behaviour["8"] = fails("LoadFailed")
    sim.desired = version(8)
    sim.step()
    found = sim.step()
    assert found.writes == ()
    assert found.status["rejected"]
    assert found.requeue_after == 0.0


def test_the_first_version_ever_rejected_stalls():
    sim = Simulation(version(1))
    sim.behaviour["1"] = fails("LoadFailed")
    sim.run(8)
    assert sim.condition("Ready")[0] == "False"
    assert sim.condition("Stalled") == ("True", "Rejected")


def test_one_failed_attempt_is_not_yet_the_models_fault():
    sim = serving(7, replicas=1)
    sim.behaviour["8"] = fails("LoadFailed", attempts=1)
    sim.desired = version(8)
    sim.run(8)
    assert "rejected" not in sim.status


def test_two_pods_crashing_within_the_bake_switch_back_and_reject():
    sim = serving(7)
    sim.desired = version(8)
    sim.run(3)
    assert sim.serving == "8"
    crash = Failure("serve", "Error", "exit code 139", 139, at=sim.now + timedelta(seconds=1))
    sim.behaviour["8"] = lambda pod: replace(becomes_ready(pod), attempts=1, failure=crash)
    sim.run(4)
    assert sim.serving == "7"
    assert sim.status["rejected"][0]["reason"] == "CrashedInBake"
    sim.run(6)
    assert sim.sizes() == {"blue": 2, "green": 0}
    assert sim.serving == "7"


def test_one_pod_of_two_ending_within_the_bake_changes_nothing():
    sim = serving(7)
    sim.desired = version(8)
    sim.run(3)
    crash = Failure("serve", "Error", "exit code 137", 137, at=sim.now + timedelta(seconds=1))
    sim.behaviour["8"] = lambda pod: (
        replace(becomes_ready(pod), attempts=1, failure=crash)
        if "-0-" in pod.name
        else becomes_ready(pod)
    )
    sim.run(6)
    assert sim.serving == "8"


def test_an_unschedulable_candidate_waits_then_is_held_and_tried_again():
    sim = serving(7, rollout={"bake": "2m", "deadlines": {"schedule": "10s"}})
    sim.behaviour["8"] = stays_pending
    sim.desired = version(8)
    sim.run(5)
    assert sim.status["summary"] == "RollingOut"
    sim.run(12)
    assert sim.status["summary"] == "Held"
    assert sim.status["candidate"]["reason"] == "Unschedulable"
    assert sim.sizes() == {"blue": 2, "green": 0}
    sim.behaviour["8"] = becomes_ready
    sim.run(40)
    assert sim.serving == "8"


def test_a_third_version_supersedes_the_candidate_which_leaves_first():
    sim = serving(7)
    sim.behaviour["8"] = lambda pod: pod
    sim.desired = version(8)
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


@pytest.mark.parametrize(
    "answer",
    [
        Unknown("RegistryUnreachable", "the registry does not answer", NOW),
        Unknown("WaitingForRegistry", "not asked yet"),
        Absent("AliasNotSet", "alias production is not set"),
        Absent("ModelNotFound", "model news is not there"),
        Unresolved("VersionNotResolved", "its run is gone", "8"),
        Unresolved("ModelNotReadable", "not for this account"),
        Refused("NotAllowed", "namespace team may not use it"),
    ],
    ids=lambda answer: answer.reason,
)
def test_no_answer_of_the_registry_takes_down_what_serves(answer):
    sim = serving(7)
    sim.desired = answer
    sim.run(20, seconds=60)
    assert sim.serving == "7"
    assert sim.writes == []
    assert sim.condition("Ready") == ("True", "Serving")


@pytest.mark.parametrize(
    "answer",
    [
        Unknown("RegistryUnreachable", "down", NOW),
        Absent("ModelNotFound", "no registered model 'news': perhaps an empty database"),
        Unresolved("VersionNotResolved", "its run was deleted meanwhile", "8"),
        Unresolved("ModelNotReadable", "not for this account any more"),
    ],
    ids=lambda answer: answer.reason,
)
def test_an_outage_in_mid_rollout_does_not_take_the_candidate_down(answer):
    sim = serving(7)
    sim.behaviour["8"] = lambda pod: pod
    sim.desired = version(8)
    sim.run(3)
    sim.desired = answer
    sim.run(3)
    assert sim.sizes() == {"blue": 2, "green": 2}
    sim.behaviour["8"] = becomes_ready
    sim.run(3)
    assert sim.serving == "8"


def test_an_alias_at_a_version_that_cannot_be_had_is_not_in_sync_and_moves_nothing():
    sim = serving(7)
    sim.desired = Unresolved("VersionNotResolved", "alias production points at version 8.", "8")
    sim.run(20, seconds=60)
    assert (sim.serving, sim.writes) == ("7", [])
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.condition("Stalled") == ("False", "NotStalled")
    assert sim.condition("AliasInSync") == ("False", "VersionNotResolved")
    assert sim.status["desired"]["version"] == "8"
    assert sim.status["summary"] == "Serving"
    sim.desired = version(7)
    sim.run(3)
    assert sim.condition("AliasInSync") == ("True", "InSync")


def test_what_was_never_there_says_the_same_when_that_is_confirmed():
    sim = Simulation(Unresolved("AliasNotSet", "the alias points at no version."))
    sim.run(3)
    first = sim.status
    sim.desired = Absent("AliasNotSet", "the alias points at no version.")
    sim.run(3)
    assert sim.status == first


def test_a_candidate_that_is_not_wanted_any_more_gets_no_traffic_while_another_cannot_be_had():
    sim = serving(7)
    sim.behaviour["8"] = lambda pod: pod
    sim.desired = version(8)
    sim.run(3)
    sim.desired = Unresolved("VersionNotResolved", "alias production points at version 9.", "9")
    sim.behaviour["8"] = becomes_ready
    sim.run(20)
    assert (sim.serving, sim.status["desired"]["version"]) == ("7", "9")
    sim.desired = version(8)
    sim.run(3)
    assert sim.serving == "8"


def test_a_rejected_version_is_tried_again_after_one_that_could_not_be_had_was_desired():
    sim = serving(7)
    sim.behaviour["8"] = fails("LoadFailed")
    sim.desired = version(8)
    sim.run(10, seconds=60)
    assert [entry["version"] for entry in sim.status["rejected"]] == ["8"]
    sim.desired = Unresolved("ModelNotReadable", "not for this account")
    sim.run(3)
    assert sim.status["rejected"]  # nobody said what is desired
    sim.desired = Unresolved("VersionNotResolved", "alias production points at version 9.", "9")
    sim.run(3)
    sim.behaviour["8"] = becomes_ready
    sim.desired = version(8)
    sim.run(6)
    assert sim.serving == "8"


def test_suspend_follows_no_move_but_replicas():
    sim = serving(7)
    sim.owner["spec"] |= {"suspend": True, "replicas": 3}
    sim.desired = version(8)
    sim.run(5)
    assert sim.serving == "7"
    assert sim.sizes() == {"blue": 3, "green": 0}
    assert sim.status["summary"] == "Suspended"
    assert sim.condition("AliasInSync") == ("False", "Suspended")


def test_scaling_reaches_both_slots_during_a_bake():
    sim = serving(7)
    sim.desired = version(8)
    sim.run(3)
    sim.owner["spec"]["replicas"] = 4
    sim.run(2)
    assert sim.sizes() == {"blue": 4, "green": 4}


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


def test_a_deleted_service_comes_back_pointing_where_it_did():
    sim = serving(7)
    del sim.children["Service/rec"]
    sim.run(2)
    assert sim.serving == "7"
    assert sim.children["Service/rec"]["spec"]["selector"]["pennant.dev/slot"] == "blue"


def test_a_child_edited_by_hand_is_put_back():
    sim = serving(7)
    sim.edit("blue")["spec"]["template"]["spec"]["containers"][0]["image"] = "x"
    sim.run(2)
    image = sim.children["Deployment/rec-blue"]["spec"]["template"]["spec"]["containers"][0]
    assert image["image"] == "pennant-serving:1"


def test_a_foreign_service_of_our_name_is_left_alone():
    sim = Simulation(version(7))
    sim.children["Service/rec"] = {"kind": "Service", "metadata": {"name": "rec"}}
    sim.run(3)
    assert sim.writes == []
    assert sim.condition("Stalled") == ("True", "NameConflict")
    del sim.children["Service/rec"]
    sim.run(8, seconds=30)
    assert sim.serving == "7"


def test_a_foreign_service_that_is_deleted_is_noticed_without_an_event():
    sim = Simulation(version(7))
    sim.children["Service/rec"] = {"kind": "Service", "metadata": {"name": "rec"}}
    assert sim.run(3).requeue_after == 10
    del sim.children["Service/rec"]
    sim.run(5)
    assert sim.serving == "7"
    assert sim.condition("Stalled")[0] == "False"


def test_history_is_newest_first_and_bounded():
    sim = serving(1)
    for number in range(2, 16):
        sim.desired = version(number)
        sim.run(12)
    history = sim.status["history"]
    assert len(history) == 10
    assert history[0]["version"] == "15"
    assert len(sim.records) <= 12


def test_at_zero_replicas_nothing_moves_until_there_are_pods_to_prove_it():
    sim = serving(7)
    sim.specify(replicas=0)
    sim.run(4)
    assert sim.condition("Ready") == ("False", "ScaledToZero")
    sim.desired, sim.behaviour["8"] = version(8), fails("LoadFailed")
    sim.writes.clear()
    sim.run(300)
    assert sim.writes == []
    assert sim.serving == "7"
    assert sim.condition("AliasInSync") == ("False", "ScaledToZero")
    sim.specify(replicas=2)
    sim.run(12)
    assert sim.serving == "7"
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.condition("AliasInSync") == ("False", "Rejected")


def test_what_is_scaled_down_is_not_settled_while_the_others_answer():
    sim = serving(7)
    sim.specify(replicas=0, serving={"resources": {"limits": {"memory": "2Gi"}}})
    sim.step()
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.condition("Reconciling") == ("True", "Scaling")
    sim.run(3)
    assert sim.condition("Ready") == ("False", "ScaledToZero")
    assert sim.condition("Reconciling") == ("False", "Settled")


def test_a_candidate_is_taken_down_at_zero_replicas_and_comes_up_again_with_them():
    sim = serving(7)
    sim.desired, sim.behaviour["8"] = version(8), hangs
    sim.run(4)
    sim.specify(replicas=0)
    sim.run(4)
    assert sim.sizes() == {"blue": 0, "green": 0}
    assert "candidate" not in sim.status
    sim.behaviour.clear()
    sim.specify(replicas=2)
    sim.run(6)
    assert sim.serving == "8"


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


@pytest.mark.parametrize("edited", ["annotation", "selector"])
def test_a_service_edited_by_hand_is_put_right_and_what_answers_keeps_the_traffic(edited):
    sim = serving(7)
    service = copy.deepcopy(sim.children["Service/rec"])
    if edited == "annotation":
        service["metadata"]["annotations"]["pennant.dev/active-slot"] = "green"
    else:
        service["spec"]["selector"]["pennant.dev/slot"] = "green"
    sim.children["Service/rec"] = service
    sim.run(3)
    assert sim.active is not None
    assert sim.active[0] == "blue"
    assert sim.children["Service/rec"]["spec"]["selector"]["pennant.dev/slot"] == "blue"
    assert sim.sizes() == {"blue": 2, "green": 0}
    assert [w.manifest["kind"] for w in sim.writes] == ["Service"]
    assert sim.condition("Ready") == ("True", "Serving")


def test_what_is_being_deleted_is_left_to_the_garbage_collector():
    sim = serving(7)
    sim.owner["metadata"]["deletionTimestamp"] = "2026-11-21T12:00:00Z"
    assert plan(sim.observe(), sim.now) == Plan()


def test_nobody_looks_at_pods_for_a_spec_that_cannot_be_understood():
    sim = serving(7)
    assert not wants_pods(sim.observe(), sim.now)
    sim.desired = version(8)
    assert wants_pods(sim.observe(), sim.now)
    sim.specify(model={"name": "rec"})
    assert not wants_pods(sim.observe(), sim.now)


def edited(sim: Simulation, change: Callable[[dict[str, Any]], object], times: int) -> int:
    """How often the operator set it back."""
    wrote = 0
    for _ in range(times):
        change(sim.edit("blue")["spec"])
        wrote += len(sim.step().writes)
    return wrote


def test_what_somebody_insists_on_is_set_back_some_times_then_accepted_and_told_once():
    sim = serving(7)

    def change(spec: dict[str, Any]) -> None:
        spec["template"]["spec"]["terminationGracePeriodSeconds"] = 99

    assert edited(sim, change, 10) == MAX_SET_BACKS
    told = [w.event for w in sim.writes if w.event]
    assert [event.reason for event in told] == ["FieldChangedByOthers"]
    assert "spec.template.spec.terminationGracePeriodSeconds" in told[0].message
    assert sim.step().writes == ()


def test_what_serves_is_not_left_without_pods_whoever_insists():
    sim = serving(7)
    assert edited(sim, lambda spec: spec.update(replicas=0), 10) == 10
    assert sim.sizes()["blue"] == 2
