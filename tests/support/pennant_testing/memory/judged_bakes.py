"""Bakes in which pods are asked how they answer."""

from datetime import timedelta
from typing import Any

from pennant_operator.decide.seen.answers import AnswerCounts
from pennant_testing.memory.object_builders import model_deployment, version
from pennant_testing.memory.simulated_answers import answered
from pennant_testing.memory.simulated_cluster import Simulation

WELL = answered(400)


def serves(before: AnswerCounts | str = WELL, **rollout: Any) -> Simulation:
    """Version 7 serves, and its bake is over."""
    sim = Simulation(version(7), owner=model_deployment(rollout={"bake": "2m", **rollout}))
    sim.answers["7"] = before
    sim.run(6)
    sim.now += timedelta(minutes=5)
    sim.run(4)
    sim.events.clear()
    return sim


def bakes(before: AnswerCounts | str = WELL, **rollout: Any) -> Simulation:
    """Version 8 has got the traffic from version 7, which answered like this."""
    sim = serves(before, **rollout)
    sim.desired = version(8)
    sim.run(6)
    assert sim.serving == "8"
    return sim


def answers_like(sim: Simulation, now: AnswerCounts | str, looks: int = 4) -> Simulation:
    sim.answers["8"] = now
    sim.run(looks)
    return sim


def rejection(sim: Simulation) -> dict[str, Any]:
    return next(iter(sim.status.get("rejected", ())), {})
