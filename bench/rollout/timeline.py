"""One alias move as a line of moments, and what lies between two of them. Pure."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bench.percentile import percentile
from newsreco.loadgen_report import FRESH, POOLED, Row, timing
from newsreco.loadgen_report import Move as AliasMove

WEBHOOK, POLL, BACK, BY_HAND = "webhook", "poll", "back", "by hand"
BUNDLE, CACHE, BY_HAND_BUNDLE = "bundle", "cache", "by hand, bundle"
"""The model runs with the packages that its bundle asks for."""
PARTS = {
    "hook": "MLflow stores the alias and calls the webhook",
    "noticed": "the operator asks MLflow (without webhook: at its next poll)",
    "applied": "plan, records, the candidate's Deployment",
    "restarted": "`kubectl rollout restart`",
    "scheduled": "pods are made and have a node",
    "fetch starts": "sandbox, network, volumes, container of `fetch`",
    "fetch imported": "`fetch`: Python and imports",
    "fetched": "`fetch`: list, download, verify",
    "installed": "`fetch`: the environment",
    "serve starts": "the kubelet sees its end, container of `serve`",
    "started": "sandbox, network, volumes, container",
    "imported": "`serve`: Python and imports",
    "loaded": "`serve`: load",
    "self-tested": "`serve`: self-test and the rest until ready",
    "ready": "readiness probe, Ready in the API",
    "switched": "the operator moves the Service",
    "answered": "every node's rules, first answer of the new version",
}
"""What passes until each moment, in the order of the moments."""


class Pod(NamedTuple):
    """The moments of one new pod, Unix seconds, as far as they were seen."""

    moments: Mapping[str, float]


@dataclass(frozen=True)
class Move:
    """One move: when the alias was set, the moments after it (Unix seconds), and the traffic."""

    kind: str
    asked: float
    """The request that sets the alias was sent."""
    moments: Mapping[str, float]
    last_old: Mapping[str, float | None]
    """Seconds to the last answer of the old version, by kind of connection."""
    requests: int
    failed: int

    @property
    def parts(self) -> dict[str, float]:
        """Seconds up to each moment since the one before; they add up to `total`.

        What is seen in another process's clock or log may seem to come before its cause: a moment
        is never earlier than the one before it.
        """
        seconds, last = {}, self.asked
        for name in PARTS:
            if name in self.moments:
                now = max(last, self.moments[name])
                seconds[name], last = now - last, now
        return seconds

    @property
    def total(self) -> float:
        """Seconds to the first answer of the new version."""
        return sum(self.parts.values())


class Spread(NamedTuple):
    """Of some seconds."""

    least: float
    median: float
    p99: float


def spread(values: Sequence[float]) -> Spread | None:
    """The 99th percentile by nearest rank: of few values, the largest."""
    if not values:
        return None
    ordered = sorted(values)
    return Spread(ordered[0], statistics.median(ordered), percentile(ordered, 0.99))


def moments_of(fetched: Mapping[str, Any] | None, ready: Mapping[str, Any] | None) -> Pod:
    """What the two JSON lines in the logs of a pod tell; nothing where one is missing.

    `{"event": ..., "time": Unix seconds at its end, "seconds": since the process began, "phases":
    {name: seconds}}`, the phases in order; something may run beside `load`, not after it.
    """
    moments: dict[str, float] = {}
    if fetched:
        moments["fetch starts"], moments["fetch imported"] = _start(fetched)
        moments["fetched"] = fetched["time"]
        if "environment" in fetched["phases"]:
            moments["installed"] = fetched["time"]
            moments["fetched"] = moments["fetch starts"] + sum(_of_bundle(fetched["phases"]))
    if ready:
        phases = ready["phases"]
        after_load = list(phases)[list(phases).index("load") + 1 :]
        moments["serve starts"], moments["imported"] = _start(ready)
        moments["loaded"] = ready["time"] - sum(phases[name] for name in after_load)
        moments["self-tested"] = ready["time"]
    return Pod(moments)


def _of_bundle(phases: Mapping[str, float]) -> list[float]:
    """Seconds of what comes before the environment; between its phases it does more."""
    return [phases[name] for name in list(phases)[: list(phases).index("environment")]]


def _start(entry: Mapping[str, Any]) -> tuple[float, float]:
    """When the process began, and when its imports were done."""
    begun, phases = entry["time"] - entry["seconds"], entry["phases"]
    return begun, begun + phases["process"] + phases["import"]


def of_all(pods: Iterable[Pod], choose: Any = max) -> dict[str, float]:
    """Each moment of the last pod to reach it, or by `choose=min` of the first."""
    pods = list(pods)
    names = {name for pod in pods for name in pod.moments}
    reached = {name: [p.moments[name] for p in pods if name in p.moments] for name in names}
    return {name: choose(times) for name, times in reached.items() if len(times) == len(pods)}


def seen_by_clients(rows: Iterable[Row], asked: float, old: str, new: str) -> dict[str, Any]:
    """`answered` (Unix seconds, any connection) and the fields of a Move that clients tell."""
    after = [row for row in rows if row.finished >= asked]
    move = AliasMove(asked, old, new)
    first = timing(after, move).first_new
    return {
        "answered": None if first is None else asked + first,
        "last_old": {kind: timing(after, move, (kind,)).last_old for kind in (FRESH, POOLED)},
        "requests": len(after),
        "failed": sum(row.failed for row in after),
    }
