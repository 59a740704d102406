"""What an operator and a pod answer at /metrics once everything that they count has happened."""

from __future__ import annotations

from prometheus_client import generate_latest

from pennant_operator.decide.intent import WARNING, Event, Plan
from pennant_operator.decide.times import format_time
from pennant_operator.decide.vocabulary import Condition, EventReason, Reason
from pennant_operator.run.metrics.metrics import Metrics
from pennant_serving.batching.work import Work
from pennant_serving.lifecycle.phases import Phases
from pennant_serving.lifecycle.rehearsed import RehearsalOutcome, Rehearsed
from pennant_serving.metrics.telemetry import Telemetry
from pennant_testing.memory.object_builders import NOW, model_deployment

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
    """Nothing has happened yet."""
    return Metrics(depth=int, may_write=float, now=lambda: NOW)


def counted_operator() -> Metrics:
    """Of one ModelRegistry and one ModelDeployment."""
    metrics = operator_metrics()
    events = (Event(WARNING, EventReason.ROLLOUT_HELD, "why"),)
    plan = Plan(status=HELD, events=events, durations={"total": 3.0})
    metrics.wrote("PATCH", "Service", 200)
    metrics.reconciled(KEY, model_deployment(), plan, 0.1)
    bad = {"answers": {"revision": "abc", "reason": Reason.ERRORS_IN_BAKE}}
    metrics.failed("api", KEY, model_deployment(status=HELD | bad), Plan(), 0.1)
    metrics.registries.answered("ours", NOW)
    metrics.registries.requested("ours", 200, 0.1)
    metrics.registries.hooked("ours", "accepted")
    metrics.registries.braked("ours", on=True)
    metrics.registries.lined_up("ours", 20, 180)
    metrics.registries.unwritten("ours", 2)
    metrics.registries.notified("ours", "slack", "delivered")
    return metrics


def counted_pod(model: str, version: str) -> Telemetry:
    """Of a pod that three predictions in four succeeded in."""
    phases = Phases()
    with phases.phase("load"):
        telemetry = Telemetry(model, version, phases)
    telemetry.digest, telemetry.environment = "ab" * 32, "cd" * 32
    telemetry.rehearsed = Rehearsed(RehearsalOutcome.PASSED, "", played=12)
    for code in (200, 200, 200, 500):
        telemetry.observe("/invocations", code, 0.01, "mlflow")
    telemetry.observe("/v2/health/ready", 503, 0.01, "v2")
    telemetry.waited(Work([1], 1, None, print, "mlflow"), 0.001)
    telemetry.predicted((), 2, 0.005)
    return telemetry


def exposed(metrics: Metrics | Telemetry) -> str:
    """As /metrics answers."""
    if isinstance(metrics, Telemetry):
        return metrics.exposition().decode()
    return generate_latest(metrics.registry).decode()
