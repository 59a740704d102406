"""Is a candidate good, still coming, rejected or held? This file decides it by faults.py."""

from dataclasses import dataclass
from datetime import datetime

from pennant_operator.decide.candidate.faults import (
    FAULTS,
    Fault,
    reason_of,
    reason_of_shortage,
    with_cure,
)
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.seen.spec import Deadlines
from pennant_operator.decide.target.availability import max_unavailable, min_available
from pennant_operator.decide.times import format_duration
from pennant_operator.decide.verdict import Held, Passed, Rejected, Verdict, Waiting
from pennant_operator.decide.vocabulary import Reason


@dataclass(frozen=True)
class Trial:
    """A candidate as it stands: its pods, and what it is measured by."""

    pods: tuple[PodFacts, ...]  # of the revision, not terminating, not evicted
    replicas: int
    since: datetime  # of this attempt
    ever_ready: bool
    deadlines: Deadlines
    short_since: datetime | None = None  # since when it has too few pods; None: since just now
    first_ready: datetime | None = None  # when the first of its pods was ready
    back: bool = False  # it served a moment ago: one pod that answers is enough to go back
    digest: str | None = None  # what they must have fetched, where that is known
    shortage: str | None = None  # what the Deployment says when it may not create pods (quota)
    evicted: str | None = None  # why a node ended one of its pods
    needed: tuple[Reason, str] | None = None  # why what serves needs its room


def judge(trial: Trial, now: datetime) -> Verdict:
    """The verdict on a candidate at this moment."""
    if fault := _model_fault(trial):
        return fault
    if overfull := next((pod.overfull for pod in trial.pods if pod.overfull), None):
        why = f"{overfull}: its pods would be evicted; raise it"
        return Held(Reason.CONFIGURATION_ERROR, why)
    if proved := _proved(trial):
        digests = {pod.digest for pod in proved}
        if None not in digests:
            return _digests_agree({str(digest) for digest in digests}, trial.digest)
    if trial.needed:
        return held_for_room(*trial.needed)
    return _world_fault(trial, now)


def held_for_room(reason: Reason, shortage: str) -> Held:
    """What serves is short of room that the candidate has, or would have."""
    message = f"what serves is short of room and has precedence: {shortage}"
    return Held(reason, with_cure(reason, message))


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


def _proved(trial: Trial) -> list[PodFacts]:
    """The pods that prove it: each was ready, and enough are; none where that is not so yet.

    What takes the place of a pod that was ready need not be, while no more than may be away are
    on their way.
    """
    ready = [pod for pod in trial.pods if pod.ready]
    if trial.back:
        return ready
    been = [pod for pod in trial.pods if pod.ready or (pod.been_ready and not pod.failure)]
    fresh = [pod for pod in trial.pods if pod not in been]
    first, few = trial.first_ready, len(fresh) < max_unavailable(trial.replicas)
    replaced = few and all(first is not None and pod.created > first for pod in fresh)
    full = len(trial.pods) >= trial.replicas and len(ready) >= min_available(trial.replicas)
    return been if full and (replaced or not fresh) else []


def _model_fault(trial: Trial) -> Rejected | None:
    if trial.ever_ready or any(pod.ready for pod in trial.pods):
        return None
    failing = [pod for pod in trial.pods if _fails_by_model(pod)]
    wanted = min(2, len({pod.node for pod in trial.pods if pod.node}))
    for reason in sorted({reason_of(pod.failure) for pod in failing if pod.failure}):
        same = [p for p in failing if p.failure and reason_of(p.failure) is reason]
        nodes = {pod.node for pod in same}
        attempts = sum(pod.attempts for pod in same)
        if attempts > max_unavailable(trial.replicas) and len(nodes) >= wanted:
            return Rejected(reason, pod_trouble(same[0]))
    return None


def _crashed(pod: PodFacts) -> bool:
    """Of a pod that had been ready its probe had a reason to end it, too."""
    killed = pod.failure is not None and reason_of(pod.failure) is Reason.KILLED
    return (killed and pod.been_ready) or _fails_by_model(pod)


def _fails_by_model(pod: PodFacts) -> bool:
    return pod.failure is not None and FAULTS[reason_of(pod.failure)].fault is Fault.MODEL


def _digests_agree(digests: set[str], known: str | None) -> Verdict:
    if len(digests) > 1:
        return Rejected(
            Reason.DIGEST_MISMATCH,
            f"pods fetched different bytes: {', '.join(sorted(digests))}; "
            "register the version again, with the tag pennant.sha256",
        )
    digest = digests.pop()
    if known is not None and digest != known:
        return Rejected(
            Reason.DIGEST_MISMATCH,
            f"pods fetched {digest}, but {known} was registered or pinned; register the bundle "
            "as a new version",
        )
    return Passed(digest)


def _world_fault(trial: Trial, now: datetime) -> Verdict:
    """The first phase that is not over for every pod decides, with its own clock and deadline."""
    phase, since, reason, why = _phase(trial, now)
    limits = trial.deadlines
    limit = getattr(limits, phase)
    if now - since >= limit and not (phase == "load" and _is_replaced(trial)):
        field = f"spec.rollout.deadlines.{phase}"
        late = f"phase {phase} took longer than {format_duration(limit)} ({field})"
        return Held(reason, f"{late}: {why}")
    # Pods that are replaced or evicted start their phases anew; the attempt as a whole ends.
    if now - trial.since >= (total := limits.schedule + limits.fetch + limits.load):
        late = f"all phases together took longer than {format_duration(total)}"
        if reason is Reason.DEADLINE_EXCEEDED and trial.evicted:
            reason, why = _eviction(trial.evicted)
        return Held(reason, f"{late}: {why}")
    return Waiting(phase, why)


def _is_replaced(trial: Trial) -> bool:
    """A few of many that hang have bad nodes (replacement.py): others take their place."""
    late = [pod for pod in trial.pods if not pod.ready]
    return all(pod.hangs for pod in late) and 0 < len(late) < max_unavailable(trial.replicas)


def _phase(trial: Trial, now: datetime) -> tuple[str, datetime, Reason, str]:
    pods = trial.pods
    if trial.shortage or len(pods) < trial.replicas:
        return "schedule", trial.short_since or now, *_shortage(trial)
    if late := [pod for pod in pods if pod.scheduled is None]:
        why = late[0].unschedulable or "not scheduled yet"
        why = with_cure(Reason.UNSCHEDULABLE, why)
        return "schedule", min(pod.created for pod in late), Reason.UNSCHEDULABLE, why
    if late := [pod for pod in pods if pod.fetched is None]:
        since = min(pod.scheduled for pod in late if pod.scheduled)
        return "fetch", since, *_phase_trouble(late)
    late = [pod for pod in pods if not pod.ready]
    since = min((pod.fetched for pod in late or pods if pod.fetched), default=trial.since)
    return "load", since, *_phase_trouble(late)


def _shortage(trial: Trial) -> tuple[Reason, str]:
    if trial.shortage:
        reason = reason_of_shortage(trial.shortage)
        return reason, with_cure(reason, trial.shortage)
    if trial.evicted:
        return _eviction(trial.evicted)
    return Reason.DEADLINE_EXCEEDED, "pods are being created"


def _eviction(why: str) -> tuple[Reason, str]:
    return Reason.EVICTED, f"a pod was evicted ({why}), another takes its place"


def _phase_trouble(pods: list[PodFacts]) -> tuple[Reason, str]:
    if not pods:
        return Reason.DEADLINE_EXCEEDED, "container fetch of a ready pod did not report its digest"
    failing = next((pod for pod in pods if pod.failure), None)
    if failing is None or failing.failure is None:
        names = ", ".join(pod.name for pod in pods[:3])
        return Reason.DEADLINE_EXCEEDED, f"not ready yet: {names}{' and more' * (len(pods) > 3)}"
    return reason_of(failing.failure), pod_trouble(failing)
