"""Versions that are rejected, and when one is tried again, as `plan` decides."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_operator.decide.seen.observed import Unresolved
from pennant_operator.decide.seen.pod_facts import Failure
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved
from pennant_testing.memory.simulated_pods import becomes_ready, fails, stays_pending

pytestmark = pytest.mark.unit


def test_a_version_that_cannot_load_is_rejected_and_the_old_one_goes_on():
    sim = alias_moved(pods=fails("LoadFailed"))
    sim.run(8)
    assert sim.serving == "7"
    assert sim.status["summary"] == "Rejected"
    assert sim.status["rejected"][0]["reason"] == "LoadFailed"
    assert sim.condition("AliasInSync") == ("False", "Rejected")
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.condition("Stalled") == ("False", "NotStalled")
    assert sim.sizes() == {"blue": 2, "green": 0}
    (event,) = [each for each in sim.events if each.reason == "VersionRejected"]
    assert event.message.startswith("version 8 was rejected (LoadFailed): ")


def test_a_rejected_version_is_not_tried_again_by_itself():
    sim = alias_moved(pods=fails("LoadFailed"))
    sim.run(8)
    sim.behaviour["8"] = becomes_ready
    sim.now += timedelta(days=1)
    sim.run(8)
    assert sim.serving == "7"


def test_a_rejected_version_is_tried_again_after_another_was_desired():
    sim = alias_moved(pods=fails("LoadFailed"))
    sim.run(8)
    sim.desired = version(7)
    sim.run(2)
    sim.behaviour["8"] = becomes_ready
    sim.desired = version(8)
    sim.run(6)
    assert sim.serving == "8"


def test_a_rejection_is_recorded_before_anything_is_taken_down():
    sim = alias_moved(pods=fails("LoadFailed"))
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
    sim = alias_moved(pods=fails("LoadFailed", attempts=1), replicas=1)
    sim.run(8)
    assert "rejected" not in sim.status


def test_two_pods_crashing_within_the_bake_switch_back_and_reject():
    sim = alias_moved()
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
    sim = alias_moved()
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
    sim = alias_moved(pods=stays_pending, rollout={"bake": "2m", "deadlines": {"schedule": "10s"}})
    sim.run(5)
    assert sim.status["summary"] == "RollingOut"
    sim.run(12)
    assert sim.status["summary"] == "Held"
    assert sim.status["candidate"]["reason"] == "Unschedulable"
    assert sim.sizes() == {"blue": 2, "green": 0}
    sim.behaviour["8"] = becomes_ready
    sim.run(40)
    assert sim.serving == "8"


def test_a_rejected_version_is_tried_again_after_one_that_could_not_be_had_was_desired():
    sim = alias_moved(pods=fails("LoadFailed"))
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


def test_a_service_that_was_deleted_is_back_when_a_rejection_says_that_it_answers():
    sim = alias_moved(pods=fails("LoadFailed"))
    sim.run(2)
    del sim.children["Service/rec"]
    found = sim.step()
    assert found.status["rejected"][0]["version"] == "8"
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.children["Service/rec"]["spec"]["selector"]["pennant.dev/slot"] == "blue"
