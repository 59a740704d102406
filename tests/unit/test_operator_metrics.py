"""The numbers of the operator and of its ModelDeployments."""

import pytest

from pennant_operator.decide.intent import Plan
from pennant_operator.run.metrics.metrics import Metrics
from pennant_testing.memory.counted_metrics import HELD, KEY, counted_operator, operator_metrics
from pennant_testing.memory.object_builders import model_deployment

pytestmark = pytest.mark.unit


def silent(metrics: Metrics) -> set[str]:
    """Metrics that say nothing."""
    return {family.name for family in metrics.registry.collect() if not family.samples}


def test_every_metric_is_counted_somewhere():
    assert silent(counted_operator()) == set()


def test_a_modeldeployment_that_is_gone_leaves_no_metric_of_its_own():
    metrics = operator_metrics()
    metrics.reconciled(KEY, model_deployment(), Plan(status=HELD), 0.1)
    of_one = {"pennant_modeldeployment_info", "pennant_alias_drift_seconds"}
    assert not of_one & silent(metrics)
    metrics.forget(KEY)
    assert of_one <= silent(metrics)
