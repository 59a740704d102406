"""The numbers of registries."""

import pytest
from prometheus_client import CollectorRegistry

from pennant_operator.run.metrics.registries import RegistryMetrics
from pennant_testing.memory.object_builders import NOW

pytestmark = pytest.mark.unit


def test_a_registry_that_is_gone_leaves_no_metric():
    registry = CollectorRegistry()
    metrics = RegistryMetrics(registry)
    metrics.answered("ours", NOW)
    metrics.requested("ours", 200, 0.1)
    metrics.hooked("ours", "taken")
    metrics.braked("ours", on=True)
    metrics.notified("ours", "slack", "delivered")
    metrics.unwritten("ours", 1)
    metrics.lined_up("ours", 20, 180)
    metrics.unwritten("ours", 2)
    assert [family.name for family in registry.collect() if not family.samples] == []
    metrics.forget("ours")
    assert [family.name for family in registry.collect() if family.samples] == []
