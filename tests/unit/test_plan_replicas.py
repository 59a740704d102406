"""Sizes as `plan` decides them: none, fewer, and both slots in a bake."""

import pytest

from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_cluster import alias_moved, serving
from pennant_testing.memory.simulated_pods import fails, hangs

pytestmark = pytest.mark.unit


def test_scaling_reaches_both_slots_during_a_bake():
    sim = alias_moved()
    sim.run(3)
    sim.owner["spec"]["replicas"] = 4
    sim.run(2)
    assert sim.sizes() == {"blue": 4, "green": 4}


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


def test_at_zero_replicas_no_gate_is_what_a_version_waits_for():
    sim = serving(7)
    sim.specify(gates={"tags": [{"key": "approved", "value": "true"}]})
    sim.desired = version(8)
    sim.run(2)
    assert sim.condition("AliasInSync") == ("False", "GateNotPassed")
    sim.specify(replicas=0)
    for _ in range(4):
        sim.step()
        assert sim.condition("AliasInSync") == ("False", "ScaledToZero")
        assert "gates" not in sim.status
    sim.specify(replicas=1)
    sim.run(2)
    assert sim.condition("AliasInSync") == ("False", "GateNotPassed")
    assert (sim.status["summary"], sim.serving) == ("Held", "7")
