"""Crashes in the bake: when what has the traffic is rejected and the traffic goes back."""

from datetime import datetime
from typing import Any

from pennant_operator.decide.candidate.faults import is_models_fault, reason_of
from pennant_operator.decide.candidate.trouble import pod_trouble
from pennant_operator.decide.goal.availability import max_unavailable
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.seen.world import World
from pennant_operator.decide.verdict import Rejected
from pennant_operator.decide.vocabulary import Reason


def way_back_from_bake(
    world: World, rejected: list[dict[str, Any]], now: datetime
) -> Rejected | None:
    """The rejection of what has the traffic, if it crashes and the warm revision can take over."""
    traffic, active, idle = world.traffic, world.active, world.idle
    if traffic is None or active is None or not world.baking(now) or not idle.ready:
        return None
    if world.service is None:
        return None  # somebody deleted it: that anything is answered again comes first
    if any(entry["revision"] == traffic.revision for entry in rejected):
        return None
    crash = crashed_in_bake(active.running, world.spec.replicas, traffic.since)
    return Rejected(Reason.CRASHED_IN_BAKE, crash) if crash else None


def crashed_in_bake(pods: tuple[PodFacts, ...], replicas: int, since: datetime) -> str | None:
    """What to say when more pods with traffic than may be away fail by the model's fault."""
    failing = [
        pod
        for pod in pods
        if _crashed(pod) and pod.failure and pod.failure.at and pod.failure.at > since
    ]
    if not failing or len(failing) < min(max_unavailable(replicas) + 1, replicas):
        return None
    why = pod_trouble(failing[0])
    return f"{len(failing)} of {replicas} pods restarted after they had traffic: {why}"


def _crashed(pod: PodFacts) -> bool:
    """Of a pod that had been ready its probe had a reason to end it, too."""
    killed = pod.failure is not None and reason_of(pod.failure) is Reason.KILLED
    return (killed and pod.been_ready) or is_models_fault(pod.failure)
