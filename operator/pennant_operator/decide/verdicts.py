"""Is a candidate good, still coming, rejected or held? This file decides it.

FAULTS is the table: whose fault each reason is. The model's fault rejects the revision: it is not
tried again until another version was desired in between (law 4). The world's fault holds it: the
candidate waits within the deadline of its phase (an autoscaler needs to see the pending pod), then
is taken down and tried again later.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pennant_operator.decide.pods import FETCH, Failure, PodFacts
from pennant_operator.decide.spec import Deadlines
from pennant_operator.decide.vocabulary import Reason

MODEL_ATTEMPTS = 2  # container attempts with one reason before the model is to blame


class Fault(StrEnum):
    """Whose fault a reason is."""

    MODEL = "model"
    WORLD = "world"


FAULTS: dict[Reason, Fault] = {
    Reason.LOAD_FAILED: Fault.MODEL,
    Reason.DIGEST_MISMATCH: Fault.MODEL,
    Reason.ENVIRONMENT_MISMATCH: Fault.MODEL,
    Reason.SELF_TEST_FAILED: Fault.MODEL,
    Reason.BUNDLE_MISSING: Fault.MODEL,
    Reason.START_FAILED: Fault.MODEL,
    Reason.QUOTA_EXCEEDED: Fault.WORLD,
    Reason.UNSCHEDULABLE: Fault.WORLD,
    Reason.IMAGE_PULL_FAILED: Fault.WORLD,
    Reason.CONFIGURATION_ERROR: Fault.WORLD,
    Reason.IMAGE_RUNS_AS_ROOT: Fault.WORLD,
    Reason.CREDENTIALS_MISSING: Fault.WORLD,
    Reason.DOWNLOAD_FAILED: Fault.WORLD,
    Reason.SOURCE_NOT_ALLOWED: Fault.WORLD,
    Reason.EVICTED: Fault.WORLD,
    Reason.DEADLINE_EXCEEDED: Fault.WORLD,
}

_KUBELET = {
    "ErrImagePull": Reason.IMAGE_PULL_FAILED,
    "ImagePullBackOff": Reason.IMAGE_PULL_FAILED,
    "ErrImageNeverPull": Reason.IMAGE_PULL_FAILED,
    "InvalidImageName": Reason.IMAGE_PULL_FAILED,
    "CreateContainerConfigError": Reason.CONFIGURATION_ERROR,
    "CreateContainerError": Reason.CONFIGURATION_ERROR,
    "RunContainerError": Reason.CONFIGURATION_ERROR,
}


@dataclass(frozen=True)
class Waiting:
    """Still coming, within its deadlines."""

    phase: str  # schedule | fetch | load
    message: str


@dataclass(frozen=True)
class Passed:
    """All pods are ready and reported the same digest (None: there are no pods to report)."""

    digest: str | None


@dataclass(frozen=True)
class Rejected:
    """The model's fault."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class Held:
    """The world's fault, for longer than the phase's deadline."""

    reason: Reason
    message: str


Verdict = Waiting | Passed | Rejected | Held


@dataclass(frozen=True)
class Trial:
    """A candidate as it stands: its pods, and what it is measured by."""

    pods: tuple[PodFacts, ...]  # of the revision, not terminating
    replicas: int
    since: datetime  # of this attempt
    ever_ready: bool
    deadlines: Deadlines
    shortage: str | None = None  # what the Deployment says when it may not create pods (quota)


def judge(trial: Trial, now: datetime) -> Verdict:
    """The verdict on a candidate at this moment."""
    if trial.replicas == 0:
        return Passed(None)
    if fault := _model_fault(trial):
        return fault
    if sum(pod.ready for pod in trial.pods) >= trial.replicas:
        return _digests_agree(trial)
    return _world(trial, now)


def reason_of(failure: Failure) -> Reason:
    """Our reason for a failure: its own termination message, else what the kubelet says."""
    if failure.reason in FAULTS:
        return Reason(failure.reason)
    if failure.exit_code is None:
        if "runAsNonRoot" in failure.message or "run as root" in failure.message:
            return Reason.IMAGE_RUNS_AS_ROOT
        return _KUBELET.get(failure.reason, Reason.CONFIGURATION_ERROR)
    # Without a word of its own: fetch's trouble is the world's, serve's the model's.
    return Reason.DOWNLOAD_FAILED if failure.container == FETCH else Reason.START_FAILED


def crashed_in_bake(pods: tuple[PodFacts, ...], replicas: int, since: datetime) -> str | None:
    """What to say when pods with traffic fail by the model's fault: two, or the only one."""
    failing = [
        pod
        for pod in pods
        if _fails_by_model(pod) and pod.failure and pod.failure.at and pod.failure.at > since
    ]
    if not failing or len(failing) < min(2, replicas):
        return None
    return f"{len(failing)} of {replicas} pods restarted after they had traffic: {_say(failing[0])}"


def _model_fault(trial: Trial) -> Rejected | None:
    if trial.ever_ready or any(pod.ready for pod in trial.pods):
        return None
    failing = [pod for pod in trial.pods if _fails_by_model(pod)]
    for reason in {reason_of(pod.failure) for pod in failing if pod.failure}:
        same = [p for p in failing if p.failure and reason_of(p.failure) is reason]
        nodes = {pod.node for pod in same}
        wanted = min(2, len({pod.node for pod in trial.pods}))
        if sum(pod.attempts for pod in same) >= MODEL_ATTEMPTS and len(nodes) >= wanted:
            return Rejected(reason, _say(same[0]))
    return None


def _fails_by_model(pod: PodFacts) -> bool:
    return pod.failure is not None and FAULTS[reason_of(pod.failure)] is Fault.MODEL


def _digests_agree(trial: Trial) -> Verdict:
    digests = {pod.digest for pod in trial.pods if pod.ready}
    if len(digests) > 1:
        return Rejected(
            Reason.DIGEST_MISMATCH,
            f"pods fetched different bytes: {', '.join(sorted(map(str, digests)))}; "
            "register the version again, with the tag pennant.sha256",
        )
    return Passed(digests.pop())


def _world(trial: Trial, now: datetime) -> Verdict:
    """The first phase that is not over for every pod decides, with its own clock and deadline."""
    if trial.shortage or len(trial.pods) < trial.replicas:
        why = trial.shortage or "pods are being created"
        reason = Reason.QUOTA_EXCEEDED if trial.shortage else Reason.DEADLINE_EXCEEDED
        return _within("schedule", trial.since, trial.deadlines.schedule, now, reason, why)
    for pod in trial.pods:
        if pod.evicted:
            return Held(Reason.EVICTED, f"pod {pod.name} was evicted")
    if late := [pod for pod in trial.pods if pod.scheduled is None]:
        why = late[0].unschedulable or "not scheduled yet"
        since = min(pod.created for pod in late)
        return _within("schedule", since, trial.deadlines.schedule, now, Reason.UNSCHEDULABLE, why)
    if late := [pod for pod in trial.pods if pod.fetched is None]:
        since = min(pod.scheduled for pod in late if pod.scheduled)
        return _within("fetch", since, trial.deadlines.fetch, now, *_trouble(late))
    late = [pod for pod in trial.pods if not pod.ready]
    since = min(pod.fetched for pod in late if pod.fetched)
    return _within("load", since, trial.deadlines.load, now, *_trouble(late))


def _within(
    phase: str, since: datetime, deadline: timedelta, now: datetime, reason: Reason, why: str
) -> Verdict:
    if now - since < deadline:
        return Waiting(phase, why)
    return Held(reason, f"phase {phase} took longer than {deadline}: {why}")


def _trouble(pods: list[PodFacts]) -> tuple[Reason, str]:
    failing = next((pod for pod in pods if pod.failure), None)
    if failing is None or failing.failure is None:
        return Reason.DEADLINE_EXCEEDED, f"{len(pods)} pods are not ready yet"
    return reason_of(failing.failure), _say(failing)


def _say(pod: PodFacts) -> str:
    if pod.failure is None:
        return f"pod {pod.name}"
    return f"pod {pod.name}, container {pod.failure.container}: {pod.failure.message}"
