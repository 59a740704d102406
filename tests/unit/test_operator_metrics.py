"""The numbers of the operator and of its ModelDeployments."""

import pytest

from pennant_operator.decide.intent import WARNING, Event, Plan
from pennant_operator.decide.times import format_time
from pennant_operator.decide.vocabulary import Condition, EventReason, Reason
from pennant_operator.run.metrics.metrics import Metrics
from pennant_testing.memory.object_builders import NOW, model_deployment

pytestmark = pytest.mark.unit

KEY = ("team", "rec")
HELD = {
    "conditions": [
        {
            "type": Condition.ALIAS_IN_SYNC,
            "status": "False",
            "reason": Reason.HELD,
            "lastTransitionTime": format_time(NOW),
        }
    ]
}


def operator_metrics() -> Metrics:
    return Metrics(depth=int, may_write=float, now=lambda: NOW)


def silent(metrics: Metrics) -> set[str]:
    """Metrics that say nothing."""
    return {family.name for family in metrics.registry.collect() if not family.samples}


def test_every_metric_is_counted_somewhere():
    metrics = operator_metrics()
    events = (Event(WARNING, EventReason.ROLLOUT_HELD, "why"),)
    held = Plan(status=HELD, events=events, durations={"total": 3.0})
    metrics.wrote("PATCH", "Service", 200)
    metrics.reconciled(KEY, model_deployment(), held, 0.1)
    metrics.failed("api", KEY, model_deployment(status=HELD), Plan(), 0.1)
    bad = {"answers": {"revision": "abc", "reason": "ErrorsInBake"}}
    metrics.reconciled(("team", "other"), model_deployment(), Plan(status=bad), 0.1)
    metrics.registries.answered("ours", NOW)
    metrics.registries.requested("ours", 200, 0.1)
    metrics.registries.hooked("ours", "accepted")
    metrics.registries.braked("ours", on=True)
    metrics.registries.lined_up("ours", 20, 180)
    metrics.registries.unwritten("ours", 2)
    assert silent(metrics) == set()


def test_a_modeldeployment_that_is_gone_leaves_no_metric_of_its_own():
    metrics = operator_metrics()
    metrics.reconciled(KEY, model_deployment(), Plan(status=HELD), 0.1)
    of_one = {"pennant_modeldeployment_info", "pennant_alias_drift_seconds"}
    assert not of_one & silent(metrics)
    metrics.forget(KEY)
    assert of_one <= silent(metrics)
