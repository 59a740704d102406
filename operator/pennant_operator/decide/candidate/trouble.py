"""What is wrong with pods, in one line for people, with the cure where the words do not tell it."""

from pennant_operator.decide.candidate.faults import reason_of, reason_of_shortage, with_cure
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
        return with_cure(Reason.UNSCHEDULABLE, f"pod {late[0].name}: {late[0].unschedulable}")
    return pod_trouble(late[0]) if late[0].failure else f"pod {late[0].name} is starting"
