"""Registries that say nothing, and a ModelDeployment that had its version before."""

import pytest

from pennant_operator.decide.seen.observed import Unknown
from pennant_testing.memory.object_builders import NOW, version
from pennant_testing.memory.simulated_cluster import Simulation, serving

SILENT = Unknown("RegistryUnreachable", "it does not answer", NOW)
NOT_ASKED = Unknown("WaitingForRegistry", "not asked yet")
each_silence = pytest.mark.parametrize(
    "silence", [SILENT, NOT_ASKED], ids=["told", "not asked yet"]
)


def moved_to_8() -> Simulation:
    """Version 8 serves, 7 did before."""
    sim = serving(7)
    sim.desired = version(8)
    sim.run(6)
    sim.run(3, seconds=120)
    assert sim.serving == "8"
    return sim


def memory_limit(sim: Simulation) -> str | None:
    """As the pods with traffic have it."""
    assert sim.active is not None
    deployment = sim.deployment(sim.active[0])
    assert deployment is not None
    serve = deployment["spec"]["template"]["spec"]["containers"][0]
    limit: str | None = serve.get("resources", {}).get("limits", {}).get("memory")
    return limit
