"""Is a candidate good, still coming, rejected or held? This file decides it by faults.py."""

from dataclasses import dataclass
from datetime import datetime

from pennant_operator.decide.candidate.environments import Installing, verdict_on_environments
from pennant_operator.decide.candidate.faults import (
    is_models_fault,
    reason_of,
    reason_of_shortage,
    unschedulable_with_cure,
    with_cure,
)
from pennant_operator.decide.candidate.trouble import mounting_trouble, pod_trouble
from pennant_operator.decide.goal.availability import max_unavailable, min_available
from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.seen.spec import Deadlines
from pennant_operator.decide.verdict import Held, Passed, Rejected, Verdict, Waiting
from pennant_operator.decide.vocabulary import Reason
from pennant_registry.durations import format_duration


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
    installing: Installing | None = None  # None: its pods install no packages
    anew: datetime | None = None  # when all of its clocks began anew


def judge(trial: Trial, now: datetime) -> Verdict:
    """The verdict on a candidate at this moment."""
    if rejection := _rejection(trial):
        return rejection
    if overfull := next((pod.overfull for pod in trial.pods if pod.overfull), None):
        why = f"{overfull}: its pods would be evicted; raise it"
        return Held(Reason.CONFIGURATION_ERROR, why)
    if proving := _proving_pods(trial):
        digests = {pod.digest for pod in proving}
        if None not in digests:
            return _verdict_on_digests({str(digest) for digest in digests}, trial, proving)
    if trial.needed:
        return held_for_room(*trial.needed)
    return _verdict_by_deadlines(trial, now)


def held_for_room(reason: Reason, shortage: str) -> Held:
    """What serves is short of room that the candidate has, or would have."""
    message = f"what serves is short of room and has precedence: {shortage}"
    return Held(reason, with_cure(reason, message))


def _proving_pods(trial: Trial) -> list[PodFacts]:
    """The pods that prove it: each was ready, and enough are; none where that is not so yet.

    What takes the place of a pod that was ready need not be, while no more than may be away are
    on their way.
    """
    ready = [pod for pod in trial.pods if pod.ready]
    if trial.back:
        return ready
    proving = [pod for pod in trial.pods if pod.ready or (pod.been_ready and not pod.failure)]
    fresh = [pod for pod in trial.pods if pod not in proving]
    first, few = trial.first_ready, len(fresh) < max_unavailable(trial.replicas)
    replaced = few and all(first is not None and pod.created > first for pod in fresh)
    full = len(trial.pods) >= trial.replicas and len(ready) >= min_available(trial.replicas)
    return proving if full and (replaced or not fresh) else []


def _rejection(trial: Trial) -> Rejected | None:
    if trial.ever_ready or any(pod.ready for pod in trial.pods):
        return None
    failing = [pod for pod in trial.pods if is_models_fault(pod.failure)]
    wanted = min(2, len({pod.node for pod in trial.pods if pod.node}))
    for reason in sorted({reason_of(pod.failure) for pod in failing if pod.failure}):
        same = [p for p in failing if p.failure and reason_of(p.failure) is reason]
        nodes = {pod.node for pod in same}
        attempts = sum(pod.attempts for pod in same)
        if attempts > max_unavailable(trial.replicas) and len(nodes) >= wanted:
            return Rejected(reason, pod_trouble(same[0]))
    return None


def _verdict_on_digests(digests: set[str], trial: Trial, proving: list[PodFacts]) -> Verdict:
    if len(digests) > 1:
        return Rejected(
            Reason.DIGEST_MISMATCH,
            f"pods fetched different bytes: {', '.join(sorted(digests))}; "
            "register the version again, with the tag pennant.sha256",
        )
    digest, known = digests.pop(), trial.digest
    if known is not None and digest != known:
        return Rejected(
            Reason.DIGEST_MISMATCH,
            f"pods fetched {digest}, but {known} was registered or pinned; register the bundle "
            "as a new version",
        )
    if trial.installing is None:
        return Passed(digest)
    return verdict_on_environments(proving, trial.installing, digest)


def _verdict_by_deadlines(trial: Trial, now: datetime) -> Verdict:
    """The first phase that is not over for every pod decides, with its own clock and deadline."""
    phase, since, reason, why = _phase(trial, now)
    limits = trial.deadlines
    limit = getattr(limits, phase)
    since, begun = (max(time, trial.anew or time) for time in (since, trial.since))
    if now - since >= limit and not (phase == "load" and _is_replaced(trial)):
        field = f"spec.rollout.deadlines.{phase}"
        late = f"phase {phase} took longer than {format_duration(limit)} ({field})"
        return Held(reason, f"{late}: {why}")
    # Pods that are replaced or evicted start their phases anew; the attempt as a whole ends.
    if now - begun >= (total := limits.schedule + limits.fetch + limits.load):
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
        unschedulable = late[0].unschedulable or "not scheduled yet"
        why = unschedulable_with_cure(unschedulable, late[0].claims)
        return "schedule", min(pod.created for pod in late), Reason.UNSCHEDULABLE, why
    if late := [pod for pod in pods if pod.fetched is None]:
        since = min(pod.scheduled for pod in late if pod.scheduled)
        return "fetch", since, *_phase_trouble(late)
    late = [pod for pod in pods if not pod.ready]
    since = min((pod.fetched for pod in late or pods if pod.fetched), default=trial.since)
    return "load", max(since, trial.since), *_phase_trouble(late)


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
        if mounting := mounting_trouble(pods):
            return Reason.DEADLINE_EXCEEDED, mounting
        names = ", ".join(pod.name for pod in pods[:3])
        return Reason.DEADLINE_EXCEEDED, f"not ready yet: {names}{' and more' * (len(pods) > 3)}"
    return reason_of(failing.failure), pod_trouble(failing)
