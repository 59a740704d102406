"""A version that makes way for another, in a cluster in memory with room for one set of pods."""

from pennant_testing.memory.simulated_cluster import Simulation, alias_moved
from pennant_testing.memory.simulated_pods import PodTemplate, becomes_ready


def moved(to: int = 8, pods: PodTemplate = becomes_ready, replicas: int = 2) -> Simulation:
    """Version 7 serves, the alias moved, and the nodes have room for one set of pods."""
    sim = alias_moved(to, pods, replicas=replicas, rollout={"strategy": "Recreate"})
    sim.lacks.room = replicas
    return sim


def selector(sim: Simulation) -> dict[str, str]:
    chosen: dict[str, str] = sim.children["Service/rec"]["spec"]["selector"]
    return chosen


def lobby(sim: Simulation) -> set[str]:
    """What there is of it."""
    return sim.children.keys() & {"Deployment/rec-lobby", "Service/rec-pods"}


def until(sim: Simulation, *, blue: int, green: int, steps: int = 60) -> None:
    """Until the slots were told to have these sizes."""
    for _ in range(steps):
        if sim.sizes() == {"blue": blue, "green": green}:
            return
        sim.step()
    raise AssertionError(f"{sim.sizes()}: {sim.status['summary']}, {sim.message('Reconciling')}")


def stepped(sim: Simulation, steps: int = 25) -> None:
    """On and on, never with both slots told to have pods, nor two sets of pods there."""
    for _ in range(steps):
        sim.step()
        assert 0 in sim.sizes().values()
        there = [pod for pods in sim.pods.values() for pod in pods]
        assert len({pod.revision for pod in there}) <= 1, "pods of two versions"


def came_back(sim: Simulation, number: str = "7") -> None:
    """It answers as before, and nothing is left of what was tried."""
    assert sim.serving == number
    assert sim.condition("Ready") == ("True", "Serving")
    assert selector(sim)["pennant.dev/slot"] == "blue"
    assert sum(pod.ready for pod in sim.pods["blue"]) == sim.owner["spec"]["replicas"]
    assert not lobby(sim)
