"""What Prometheus is told. Names are in docs/operations.md; people alert on them."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from pennant_operator.decide.times import parse_time
from pennant_operator.decide.vocabulary import Condition, EventReason
from pennant_operator.kube import Object

_RESULTS = {
    EventReason.TRAFFIC_MOVED: "serving",
    EventReason.VERSION_REJECTED: "rejected",
    EventReason.ROLLOUT_HELD: "held",
}


class Metrics:
    """The operator's own counters; `registry` is what /metrics shows."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._rollouts = Counter(
            "pennant_rollouts",
            "Rollouts by how they went and, where they did not, why",
            ["result", "reason"],
            registry=self.registry,
        )
        self._reconciles = Histogram(
            "pennant_reconcile_duration_seconds",
            "Duration of one pass over one ModelDeployment",
            ["result"],
            registry=self.registry,
        )
        self._writes = Counter(
            "pennant_api_writes",
            "Write requests to the API server; code 0 is no answer",
            ["verb", "kind", "code"],
            registry=self.registry,
        )
        self._answered = Gauge(
            "pennant_registry_last_success_timestamp_seconds",
            "When a ModelRegistry last answered, Unix time",
            ["registry"],
            registry=self.registry,
        )

    def reconciled(self, result: str, seconds: float) -> None:
        """One pass ended: done, conflict, failed or bug."""
        self._reconciles.labels(result).observe(seconds)

    def wrote(self, verb: str, kind: str, code: int) -> None:
        """One write request was answered."""
        self._writes.labels(verb, kind, str(code)).inc()

    def answered(self, registry: str, when: datetime) -> None:
        """A registry answered."""
        self._answered.labels(registry).set(when.timestamp())

    def happened(self, event: str, status: dict[str, Any]) -> None:
        """A transition of a rollout, with the status it led to."""
        result = _RESULTS.get(EventReason(event))
        if result is None:
            return
        reason = ""
        if result == "rejected":
            reason = status["rejected"][0]["reason"]
        elif result == "held":
            reason = status["candidate"]["reason"]
        self._rollouts.labels(result, reason).inc()


class Fleet:
    """Computed at each scrape from what is known: one row a ModelDeployment, and the queue."""

    def __init__(self, owners: Iterable[Object], depth: int, now: datetime) -> None:
        self._owners = owners
        self._depth = depth
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """prometheus_client's collector protocol."""
        info = GaugeMetricFamily(
            "pennant_modeldeployment_info",
            "One row a ModelDeployment: what is desired and what serves",
            labels=["namespace", "name", "model", "alias", "desired", "serving"],
        )
        drift = GaugeMetricFamily(
            "pennant_alias_drift_seconds",
            "For how long what serves has not been what the alias points at, and why",
            labels=["namespace", "name", "reason"],
        )
        for owner in self._owners:
            where = [owner["metadata"]["namespace"], owner["metadata"]["name"]]
            info.add_metric([*where, *_identity(owner)], 1)
            if (found := _drift(owner)) is not None:
                since = (self._now - parse_time(found["lastTransitionTime"])).total_seconds()
                drift.add_metric([*where, found["reason"]], max(since, 0))
        yield info
        yield drift
        yield GaugeMetricFamily("pennant_queue_depth", "Keys that wait for a worker", self._depth)


def _identity(owner: Object) -> list[str]:
    model, status = owner["spec"]["model"], owner.get("status") or {}
    versions = [(status.get(part) or {}).get("version", "") for part in ("desired", "serving")]
    return [model.get("name", ""), model.get("alias", ""), *versions]


def _drift(owner: Object) -> dict[str, Any] | None:
    conditions = (owner.get("status") or {}).get("conditions") or []
    found: dict[str, Any] | None = next(
        (c for c in conditions if c["type"] == Condition.ALIAS_IN_SYNC and c["status"] != "True"),
        None,
    )
    return found
