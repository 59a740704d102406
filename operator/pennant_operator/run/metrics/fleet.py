"""What each ModelDeployment follows and serves, as its last reconcile left it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from pennant_operator.decide.times import parse_time
from pennant_operator.decide.vocabulary import Condition
from pennant_operator.kube import Object
from pennant_operator.observe.cluster.store import Key

Status: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """What the metrics tell of one ModelDeployment."""

    model: str
    alias: str
    desired: str
    serving: str
    drift_reason: str | None
    drift_since: datetime | None
    bad_answers: str | None = None  # the reason, where nothing can be done about them


class Fleet(Collector):
    """One line per ModelDeployment, made when Prometheus asks."""

    def __init__(self, samples: dict[Key, Sample], now: Callable[[], datetime]) -> None:
        self._samples = samples
        self._now = now

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """What each follows and serves, and for how long these have differed."""
        info = GaugeMetricFamily(
            "pennant_modeldeployment_info",
            "What a ModelDeployment follows and serves; always 1.",
            labels=("namespace", "name", "model", "alias", "desired", "serving"),
        )
        drift = GaugeMetricFamily(
            "pennant_alias_drift_seconds",
            "Time since what serves is not what is desired.",
            labels=("namespace", "name", "reason"),
        )
        bad = GaugeMetricFamily(
            "pennant_answers_bad",
            "1 while a version answers badly in its bake and there is nothing to go back to.",
            labels=("namespace", "name", "reason"),
        )
        for key, sample in self._samples.items():
            info.add_metric((*key, sample.model, sample.alias, sample.desired, sample.serving), 1)
            if sample.bad_answers is not None:
                bad.add_metric((*key, sample.bad_answers), 1)
            if sample.drift_since is not None:
                seconds = (self._now() - sample.drift_since).total_seconds()
                drift.add_metric((*key, sample.drift_reason or ""), max(seconds, 0))
        return info, drift, bad


def sample_of(owner: Object, live: Status, decided: Status) -> Sample:
    """Of the status as it is (`live`), and as it was decided, which may not be written."""
    model = owner.get("spec", {}).get("model", {})
    drift = _drift(live) or _drift(decided)
    since = _time(drift["lastTransitionTime"]) if drift else None
    return Sample(
        model=model.get("name", ""),
        alias=model.get("alias") or model.get("stage", ""),
        desired=(decided.get("desired") or {}).get("version", ""),
        serving=(live.get("serving") or {}).get("version", ""),
        drift_reason=drift["reason"] if drift else None,
        drift_since=since,
        bad_answers=(decided.get("answers") or {}).get("reason"),
    )


def _drift(status: Status) -> dict[str, Any] | None:
    """The condition that says so."""
    conditions = {c["type"]: c for c in status.get("conditions", ())}
    sync = conditions.get(Condition.ALIAS_IN_SYNC, {})
    return sync if sync.get("status") == "False" else None


def _time(text: str) -> datetime | None:
    """None where it is somebody's that Python has no calendar for."""
    try:
        return parse_time(text)
    except ValueError:
        return None
