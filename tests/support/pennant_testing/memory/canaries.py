"""A canary of version 8 beside version 7, in a cluster in memory, and what a person sees of it."""

import json
from typing import Any

from pennant_testing.memory.simulated_answers import answered
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved
from pennant_testing.memory.simulated_pods import becomes_ready

STEPS = [{"weight": "10", "pause": "1m"}, {"weight": "50", "pause": "1m"}]
BY_HAND = [{"weight": "10"}, {"weight": "50"}]


def canary(pods: Any = becomes_ready, *, replicas: int = 4, **rollout: Any) -> Simulation:
    """Version 7 serves, and the alias points at 8 now, which answers well."""
    steps, by = rollout.pop("steps", STEPS), rollout.pop("by", {})
    spec = {"strategy": "Canary", "bake": "2m", "canary": {"steps": steps, "by": by}, **rollout}
    sim = alias_moved(8, pods, rollout=spec, replicas=replicas)
    sim.answers = {"7": answered(900), "8": answered(100)}
    return sim


def weights(sim: Simulation) -> set[str]:
    """Percent that the pods with traffic are told to hand over; "0": nothing."""
    assert sim.active is not None
    contents = [
        json.loads(pod.shares or "{}") for pod in sim.pods[sim.active[0]] if not pod.terminating
    ]
    return {each.get("handOver", {}).get("percent", "0") for each in contents}


def leads_to(sim: Simulation) -> str:
    """The slot that the candidate's Service leads to."""
    service = sim.children.get("Service/rec-candidate")
    return service["spec"]["selector"]["pennant.dev/slot"] if service else "none"


def at_first_step(sim: Simulation) -> Simulation:
    sim.run(6)
    assert (weights(sim), leads_to(sim), sim.serving) == ({"10"}, "green", "7")
    return sim


def stopped(sim: Simulation) -> bool:
    return weights(sim) <= {"0"} and leads_to(sim) == "none"
