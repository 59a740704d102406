"""Large fleets always lack a few pods: what passes, and what is blamed, in proportion."""

from dataclasses import replace

import pytest

from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_cluster import alias_moved, serving
from pennant_testing.memory.simulated_pods import (
    PodTemplate,
    becomes_ready,
    crashed,
    crashes,
    hangs,
)

pytestmark = pytest.mark.unit


def _but_for(some: int, become: PodTemplate) -> PodTemplate:
    """The first pods of a slot become something else than ready."""
    return lambda pod: (become if int(pod.name.split("-")[1]) < some else becomes_ready)(pod)


def test_a_large_candidate_passes_with_a_tenth_of_its_pods_away_once_each_was_ready():
    sim = serving(7, replicas=50)
    sim.desired, sim.behaviour["8"] = version(8), hangs
    sim.run(4)
    sim.behaviour["8"] = _but_for(5, lambda pod: replace(becomes_ready(pod), ready=False))
    sim.run(2)
    assert sim.serving == "8"


@pytest.mark.parametrize("others", [hangs, crashes], ids=["not ready yet", "crash"])
def test_a_large_candidate_does_not_pass_while_a_pod_was_never_ready_or_fails(others):
    sim = serving(7, replicas=50)
    sim.desired, sim.behaviour["8"] = version(8), _but_for(1, others)
    sim.run(6)
    assert sim.serving == "7"


def test_a_few_crashes_among_many_pods_are_no_fault_of_the_model():
    sim = alias_moved(replicas=50)
    sim.run(4)
    assert sim.serving == "8"
    sim.behaviour["8"] = _but_for(5, crashed(sim.now))
    sim.run(4)
    assert sim.serving == "8"
    sim.behaviour["8"] = _but_for(6, crashed(sim.now))
    sim.run(4)
    assert sim.serving == "7"


def test_going_back_takes_one_warm_pod_that_answers():
    sim = alias_moved(replicas=50)
    sim.run(4)
    sim.behaviour |= {"7": _but_for(49, hangs), "8": crashed(sim.now)}
    sim.run(4)
    assert sim.serving == "7"


def test_a_pod_that_was_ready_in_an_earlier_attempt_proves_nothing_in_the_next():
    sim = serving(7, replicas=50)
    sim.desired, sim.behaviour["8"] = version(8), _but_for(5, hangs)
    sim.run(3)
    assert "firstReadyTime" in sim.status["candidate"]
    while not sim.status["candidate"]["attempts"]:
        sim.step(seconds=60)
    sim.behaviour["8"] = _but_for(4, hangs)
    sim.run(20, seconds=10)
    assert sim.sizes() == {"blue": 50, "green": 50}
    assert sim.serving == "7"


def test_one_pod_of_many_that_hangs_is_replaced_and_takes_no_candidate_down():
    sim = serving(7, replicas=50)
    sim.desired, sim.behaviour["8"] = version(8), _but_for(1, hangs)
    sim.run(8, seconds=60)
    assert sim.serving == "8"
    assert [e.reason for e in sim.events].count("PodReplaced") == 1
    assert not any(e.reason == "RolloutHeld" for e in sim.events)
