"""How long each phase of a rollout took, told when its traffic has moved.

The phases are those of the slowest pod, end to end: `schedule` from the decision to a node, `fetch`
to the verified bundle, `load` to ready, `switch` to the traffic; `total` is all of them. Kubernetes
keeps whole seconds.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.times import parse_time

PHASES = ("schedule", "fetch", "load", "switch", "total")


def phase_durations(
    candidate: Mapping[str, Any], pods: Iterable[PodFacts], now: datetime
) -> dict[str, float]:
    """Phase -> seconds; empty where somebody else's clock or a missing time makes no sense."""
    pods = list(pods)
    times = [
        parse_time(candidate["since"]) if "since" in candidate else None,
        _last(pod.scheduled for pod in pods),
        _last(pod.fetched for pod in pods),
        _last(pod.ready_since for pod in pods),
        now,
    ]
    known = [time for time in times if time is not None]
    if len(known) < len(times):
        return {}
    spans = [(after - before).total_seconds() for before, after in pairwise(known)]
    return dict(zip(PHASES, [*(max(span, 0.0) for span in spans), sum(spans)], strict=True))


def _last(times: Iterable[datetime | None]) -> datetime | None:
    known = [time for time in times if time is not None]
    return max(known) if known else None
