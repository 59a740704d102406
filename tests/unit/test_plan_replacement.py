"""One bad pod among ready siblings is replaced."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_operator.decide.intent import Delete
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import becomes_ready, fails, first_fails, hangs

pytestmark = pytest.mark.unit


def with_a_bad_pod(replicas: int = 2, attempts: int = 5) -> Simulation:
    """The first pod of what serves cannot load any more, the others are ready and old enough."""
    sim = serving(7, replicas=replicas)
    bad = fails("LoadFailed", attempts=attempts)
    sim.behaviour["7"] = lambda pod: bad(pod) if "-0-" in pod.name else becomes_ready(pod)
    sim.work()
    sim.now += timedelta(minutes=3)
    return sim


def deleted_pods(sim: Simulation) -> list[str]:
    return [w.name for w in sim.step().writes if isinstance(w, Delete) and w.kind == "Pod"]


def test_a_pod_that_keeps_failing_among_ready_ones_is_deleted_as_it_was_seen_and_told():
    sim = with_a_bad_pod()
    (bad,) = (pod for pod in sim.pods["blue"] if not pod.ready)
    found = sim.step()
    (write,) = (w for w in found.writes if isinstance(w, Delete))
    assert write == Delete("Pod", bad.name, bad.uid, bad.resource_version)
    (event,) = (e for e in found.events if e.reason == "PodReplaced")
    assert bad.name in event.message
    assert "failed 5 times on node-1 while the others" in event.message
    assert sim.serving == "7"


def test_the_worst_of_several_bad_pods_goes_first_and_one_at_a_time():
    sim = with_a_bad_pod(replicas=5)
    worse = fails("LoadFailed", attempts=9)
    before = sim.behaviour["7"]
    sim.behaviour["7"] = lambda pod: worse(pod) if "-3-" in pod.name else before(pod)
    sim.work()
    (first,) = deleted_pods(sim)
    assert first.startswith("blue-3-")
    assert deleted_pods(sim) == []  # its successor is too young to judge by


@pytest.mark.parametrize(
    ("replicas", "attempts"), [(1, 5), (2, 1)], ids=["no sibling", "too few attempts"]
)
def test_a_bad_pod_stays_where_nobody_knows_that_it_is_the_exception(replicas: int, attempts: int):
    assert deleted_pods(with_a_bad_pod(replicas, attempts)) == []


def test_no_pod_is_replaced_while_its_siblings_are_young():
    sim = with_a_bad_pod()
    sim.now = max(pod.created for pod in sim.pods["blue"]) + timedelta(minutes=1)
    assert deleted_pods(sim) == []


def test_a_pod_of_a_candidate_is_judged_by_its_rollout_and_not_replaced():
    sim = alias_moved(pods=first_fails)
    sim.run(3)
    assert not any(e.reason == "PodReplaced" for e in sim.events)


def test_a_pod_that_loads_for_longer_than_it_may_among_ready_ones_is_replaced():
    sim = serving(7)
    sim.behaviour["7"] = lambda pod: (hangs if "-0-" in pod.name else becomes_ready)(pod)
    sim.pods["blue"] = [hangs(replace(p, ready=False, been_ready=False)) if "-0-" in p.name else p
                        for p in sim.pods["blue"]]  # fmt: skip
    sim.work()
    sim.now = sim.pods["blue"][0].created + timedelta(minutes=4)
    assert deleted_pods(sim) == []
    sim.now += timedelta(minutes=2)
    (name,) = deleted_pods(sim)
    assert name.startswith("blue-0-")
    assert "loads for longer than spec.rollout.deadlines.load" in sim.events[-1].message
