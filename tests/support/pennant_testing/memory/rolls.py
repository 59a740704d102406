"""Rolling rollouts over a cluster in memory, and what is to be seen of them."""

from collections.abc import Callable
from typing import Any

from pennant_testing.memory.cluster_state import SLOTS
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved
from pennant_testing.truth.kstatus import CURRENT, verdict

SURGE = {"maxSurge": 1, "maxUnavailable": 0}
NO_SURGE = {"maxSurge": 0, "maxUnavailable": 1}


def rollout(rolling: dict[str, Any] | None = None, **others: Any) -> dict[str, Any]:
    """`spec.rollout` with strategy Rolling."""
    return {"strategy": "Rolling", "bake": "2m", "rolling": rolling or SURGE, **others}


def moved(rolling: dict[str, Any] | None = None, replicas: int = 3, **spec: Any) -> Simulation:
    """Version 7 serves on three pods, and the alias is at version 8 now."""
    return alias_moved(8, replicas=replicas, rollout=rollout(rolling), **spec)


def halfway(rolling: dict[str, Any] | None = None, **spec: Any) -> Simulation:
    """Version 8 has two of three pods, and both slots have traffic."""
    return until(moved(rolling, **spec), lambda sim: sim.sizes()["green"] == 2)


def until(sim: Simulation, reached: Callable[[Simulation], bool], looks: int = 40) -> Simulation:
    """After as many looks as it takes; AssertionError after so many."""
    for _ in range(looks):
        if reached(sim):
            return sim
        sim.step()
    raise AssertionError(f"{sim.sizes()} {sim.status['summary']} {sim.message('AliasInSync')}")


def leads_to(sim: Simulation) -> str:
    """A slot, none or both, by the Service's selector."""
    selector = sim.children["Service/rec"]["spec"]["selector"]
    return str(selector.get("pennant.dev/slot", "both"))


def on_both(sim: Simulation) -> bool:
    """Whether the pods of both slots have traffic."""
    return leads_to(sim) == "both"


def answering(sim: Simulation) -> int:
    """Ready pods behind the Service, as they are now."""
    reached = SLOTS if on_both(sim) else (leads_to(sim),)
    return sum(p.ready and not p.terminating for slot in reached for p in sim.pods[slot])


def settled(sim: Simulation) -> bool:
    """Whether nothing rolls, nor is to."""
    return "alongside" not in sim.status and verdict(sim.owner) == CURRENT


def rolled(sim: Simulation) -> bool:
    """Whether version 8 has all the traffic."""
    return sim.serving == "8" and settled(sim)
