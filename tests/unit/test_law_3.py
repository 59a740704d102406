"""Law 3: what serves stays until its successor is ready, checked and has the traffic."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from pennant_operator.decide.intent import Apply, Delete, Write
from pennant_operator.decide.plan import plan
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_cluster import Simulation, serving
from pennant_testing.memory.simulated_pods import (
    becomes_ready,
    fails,
    fetches_other_bytes,
    hangs,
    stays_pending,
)

pytestmark = pytest.mark.unit

Become = Callable[[PodFacts], PodFacts]
OVERFULL = "the bundle has 9 bytes, spec.serving.storage.size is 8"


def but(**facts: object) -> Become:
    """A pod that is ready but for this."""
    return lambda pod: replace(becomes_ready(pod), **facts)


# What the two pods of a candidate became, and nothing else; fewer are there than were asked for.
NOT_YET: dict[str, list[Become]] = {
    "no pod is there": [],
    "one pod is there, and ready": [becomes_ready],
    "neither has a node": [stays_pending, stays_pending],
    "neither has fetched": [lambda pod: pod, lambda pod: pod],
    "neither has loaded": [hangs, hangs],
    "one is ready": [becomes_ready, hangs],
    "one is ready, one failed": [becomes_ready, fails("LoadFailed")],
    "one is ready, one is on its way out": [becomes_ready, but(terminating=True)],
    "one is ready, one was evicted": [becomes_ready, but(evicted="Evicted: disk full")],
    "one is ready, one is of an earlier revision": [becomes_ready, but(revision="earlier")],
    "neither said what it fetched": [but(digest=None), but(digest=None)],
    "one did not say what it fetched": [becomes_ready, but(digest=None)],
    "both cannot load": [fails("LoadFailed"), fails("LoadFailed")],
    "they fetched different bytes": [fetches_other_bytes, fetches_other_bytes],
    "what they fetched is larger than it may be": [but(overfull=OVERFULL), but(overfull=OVERFULL)],
}
REGISTERED_OTHERWISE: list[Become] = [but(digest="other"), but(digest="other")]


def on_its_way(pods: list[Become], *, tag: bool = True) -> Simulation:
    """Version 7 serves; version 8 was given a slot, whose pods became this."""
    sim = serving(7)
    sim.desired = version(8, tag=tag)
    sim.behaviour["8"] = lambda pod: pod
    sim.step()
    fresh = sim.pods["green"]
    assert len(fresh) == 2
    sim.pods["green"] = [become(pod) for become, pod in zip(pods, fresh, strict=False)]
    return sim


def of_traffic(writes: tuple[Write, ...]) -> list[Write]:
    """What moves traffic, or changes what has it."""
    return [
        write
        for write in writes
        if (isinstance(write, Apply) and write.manifest["metadata"]["name"] in {"rec", "rec-blue"})
        or (isinstance(write, Delete) and write.kind != "ControllerRevision")
    ]


@pytest.mark.parametrize("tag", [True, False], ids=["tagged", "untagged"])
@pytest.mark.parametrize("pods", NOT_YET.values(), ids=NOT_YET)
def test_law_3_no_traffic_moves_before_all_pods_are_ready_and_checked(pods, tag):
    sim = on_its_way(pods, tag=tag)
    found = plan(sim.observe(), sim.now)
    assert of_traffic(found.writes) == []
    assert found.status["serving"]["version"] == "7"


def test_law_3_no_traffic_moves_to_other_bytes_than_were_registered():
    sim = on_its_way(REGISTERED_OTHERWISE)
    found = plan(sim.observe(), sim.now)
    assert of_traffic(found.writes) == []
    assert found.status["rejected"][0]["reason"] == "DigestMismatch"


@pytest.mark.parametrize("tag", [True, False], ids=["tagged", "untagged"])
def test_law_3_traffic_moves_when_they_are_and_nothing_that_had_it_changes(tag):
    sim = on_its_way([becomes_ready, becomes_ready], tag=tag)
    found = plan(sim.observe(), sim.now)
    (moved,) = of_traffic(found.writes)
    assert moved.manifest["kind"] == "Service"
    assert moved.manifest["spec"]["selector"]["pennant.dev/slot"] == "green"
    assert found.writes[-1] is moved
    assert found.status["serving"]["version"] == "8"


@pytest.mark.parametrize("pods", NOT_YET.values(), ids=NOT_YET)
def test_law_3_what_serves_keeps_its_pods_whatever_becomes_of_its_successor(pods):
    """Hours later, held, rejected or still on its way: not one of its pods was ever replaced."""
    sim = on_its_way(pods)
    before = sim.pods["blue"]
    became = dict(enumerate(pods))
    sim.behaviour["8"] = lambda pod: became.get(int(pod.name.split("-")[1]), hangs)(pod)
    sim.run(30, seconds=600)
    assert sim.pods["blue"] == before
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.serving == "7"
