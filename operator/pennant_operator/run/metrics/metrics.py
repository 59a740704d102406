"""The numbers people alert on, in Prometheus' format."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

from pennant_operator.decide.intent import Plan
from pennant_operator.decide.vocabulary import Condition, EventReason
from pennant_operator.kube import Object
from pennant_operator.observe.cluster.store import Key
from pennant_operator.run.metrics.fleet import Fleet, Sample, Status, sample_of
from pennant_operator.run.metrics.registries import RegistryMetrics

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_ROLLOUT_SECONDS = (1, 2, 3, 5, 7.5, 10, 15, 20, 30, 60, 120, 300, 600, 1800)
_ERRORS = ("refused", "api", "conflict", "fault")
_RESULTS = {
    EventReason.ROLLOUT_STARTED: "started",
    EventReason.TRAFFIC_MOVED: "promoted",
    EventReason.VERSION_REJECTED: "rejected",
    EventReason.ROLLOUT_HELD: "held",
}


class Metrics:
    """Counts what happens; knows each ModelDeployment as its last reconcile left it."""

    def __init__(
        self,
        *,
        depth: Callable[[], int],
        may_write: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._samples: dict[Key, Sample] = {}
        self.registry.register(Fleet(self._samples, now))
        Gauge("pennant_queue_depth", "Keys waiting.", registry=self.registry).set_function(depth)
        leader = Gauge(
            "pennant_leader", "1 where this process may write, else 0.", registry=self.registry
        )
        leader.set_function(lambda: float(may_write() > 0))
        self.registries = RegistryMetrics(self.registry)
        self._reconcile = Histogram(
            "pennant_reconcile_duration_seconds",
            "Time of one reconcile.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._errors = Counter(
            "pennant_reconcile_errors", "Reconciles that failed.", ["kind"], registry=self.registry
        )
        for kind in _ERRORS:  # at 0: Prometheus sees no increase in what begins at 1
            self._errors.labels(kind)
        self._writes = Counter(
            "pennant_api_writes",
            "Write requests to the API server.",
            ["verb", "kind", "code"],
            registry=self.registry,
        )
        self._rollouts = Counter(
            "pennant_rollouts",
            "Rollouts by what became of them.",
            ["result", "reason"],
            registry=self.registry,
        )
        self._durations = Histogram(
            "pennant_rollout_duration_seconds",
            "Time of a rollout from the decision to the traffic, whole and by phase.",
            ["phase"],
            buckets=_ROLLOUT_SECONDS,
            registry=self.registry,
        )

    def wrote(self, verb: str, kind: str, code: int) -> None:
        """A write request was answered (0: it was not)."""
        self._writes.labels(verb, kind, str(code)).inc()

    def reconciled(self, key: Key, owner: Object, plan: Plan, seconds: float) -> None:
        """A reconcile carried its plan out."""
        status = plan.status if plan.status is not None else owner.get("status", {})
        self._see(key, owner, status, status, seconds)
        for phase, took in plan.durations.items():
            self._durations.labels(phase).observe(took)
        for event in plan.events:
            result = _RESULTS.get(EventReason(event.reason))
            if result is not None:
                self._rollouts.labels(result, _why(result, status)).inc()

    def failed(self, kind: str, key: Key, owner: Object, plan: Plan, seconds: float) -> None:
        """A reconcile ended with this kind of error; its plan is empty where none was made.

        What serves is what the status says. What is desired, and that it does not serve, may be
        known from the plan alone.
        """
        self._errors.labels(kind).inc()
        status = owner.get("status", {})
        self._see(key, owner, status, plan.status or status, seconds)

    def _see(self, key: Key, owner: Object, live: Status, decided: Status, seconds: float) -> None:
        self._reconcile.observe(seconds)
        now, before = sample_of(owner, live, decided), self._samples.get(key)
        if now.drift_since and before and before.drift_since:
            # A status that cannot be written is decided anew each time, as of then.
            since = min(before.drift_since, now.drift_since)
            now = replace(now, drift_since=since)
        self._samples[key] = now

    def forget(self, key: Key) -> None:
        """The ModelDeployment is gone."""
        self._samples.pop(key, None)


def _why(result: str, status: Status) -> str:
    if result == "rejected":
        return str(next((entry["reason"] for entry in status.get("rejected", ())), ""))
    if result == "held":
        conditions = {c["type"]: c for c in status.get("conditions", ())}
        return str(conditions.get(Condition.ALIAS_IN_SYNC, {}).get("reason", ""))
    return ""
