"""What is wrong with pods, in one line for people, with the cure where the words do not tell it."""

from collections.abc import Iterable

from pennant_operator.decide.candidate.faults import (
    reason_of,
    reason_of_shortage,
    unschedulable_with_cure,
    with_cure,
)
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.vocabulary import Reason


def pod_trouble(pod: PodFacts) -> str:
    """How a pod fails, in one line."""
    if pod.failure is None:
        return f"pod {pod.name}"
    message = f"pod {pod.name}, container {pod.failure.container}: {pod.failure.message}"
    reason = reason_of(pod.failure)
    # What ran speaks for itself, unless it was ended.
    ran = pod.failure.exit_code is not None and reason is not Reason.KILLED
    return message if ran else with_cure(reason, message)


def serving_trouble(pods: tuple[PodFacts, ...], shortage: str | None, evicted: str | None) -> str:
    """Why what has the traffic has too few ready pods."""
    late = sorted((pod for pod in pods if not pod.ready), key=lambda pod: pod.failure is None)
    if shortage:
        return with_cure(reason_of_shortage(shortage), shortage)
    if not late:
        return f"a pod was evicted ({evicted})" if evicted else "pods are being created"
    if late[0].unschedulable:
        message = f"pod {late[0].name}: {late[0].unschedulable}"
        return unschedulable_with_cure(message, late[0].claims)
    if late[0].failure:
        return pod_trouble(late[0])
    return mounting_trouble(late) or f"pod {late[0].name} is starting"


def mounting_trouble(pods: Iterable[PodFacts]) -> str:
    """That a pod waits for its claims; empty where none does.

    Which of its volumes are there is told by no status; every pod waits a moment.
    """
    waiting = next((pod for pod in pods if pod.mounting and pod.claims), None)
    if waiting is None:
        return ""
    return (
        f"pod {waiting.name} waits on node {waiting.node} for its volumes, among them claim "
        f"{', '.join(waiting.claims)}: where this lasts, kubectl describe pod says why; "
        "a ReadWriteOnce claim is mounted on one node at a time"
    )
