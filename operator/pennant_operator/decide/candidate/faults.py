"""Whose fault each reason is, and what is done about it: the table Reject, Hold, Replace.

The model's fault rejects a candidate: it is not tried again until another version was desired in
between (law 4). The world's fault holds it: it waits within the deadline of its phase (an
autoscaler needs to see the pending pod), then is taken down and tried again later. Where the
others of a slot are ready, a pod that keeps failing may be its node's fault: it is replaced.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from pennant_operator.decide.seen.termination import KILLED, NODE_ENDED, Failure
from pennant_operator.decide.vocabulary import FETCH, SERVE, Reason


class Fault(StrEnum):
    """Whose fault a reason is."""

    MODEL = "model"
    WORLD = "world"


@dataclass(frozen=True)
class Consequence:
    """What a reason leads to."""

    fault: Fault
    replace: bool = False  # one such pod among ready siblings: another node may do better
    cure: str = ""  # what to do about it, where the kubelet's words do not tell


_ROOM = (
    "a rollout needs twice the pods of spec.replicas, and fewer by another spec.rollout.strategy: "
    "Rolling, Recreate or Auto"
)
FAULTS: dict[Reason, Consequence] = {
    Reason.LOAD_FAILED: Consequence(Fault.MODEL, replace=True),
    Reason.DIGEST_MISMATCH: Consequence(Fault.MODEL, replace=True),
    Reason.ENVIRONMENT_MISMATCH: Consequence(Fault.MODEL, replace=True),
    Reason.SELF_TEST_FAILED: Consequence(Fault.MODEL, replace=True),
    Reason.REHEARSAL_FAILED: Consequence(Fault.MODEL, replace=True),
    Reason.BUNDLE_MISSING: Consequence(Fault.MODEL, replace=True),
    Reason.START_FAILED: Consequence(Fault.MODEL, replace=True),
    Reason.QUOTA_EXCEEDED: Consequence(
        Fault.WORLD,
        cure=f"raise the namespace's ResourceQuota ({_ROOM}), or lower spec.replicas or "
        "spec.serving.resources; what a quota wants specified is set there, too (fetch has the "
        "same, or spec.serving.fetch.resources)",
    ),
    Reason.LIMIT_RANGE_EXCEEDED: Consequence(
        Fault.WORLD,
        cure="bring spec.serving.resources within the namespace's LimitRange (fetch has the same "
        "cpu and memory, or spec.serving.fetch.resources)",
    ),
    Reason.UNSCHEDULABLE: Consequence(
        Fault.WORLD,
        cure=f"make room ({_ROOM}), or change spec.serving.resources, nodeSelector or tolerations",
    ),
    Reason.IMAGE_PULL_FAILED: Consequence(
        Fault.WORLD,
        replace=True,
        cure="see that the image is there and that spec.serving.imagePullSecrets may pull it",
    ),
    Reason.CONFIGURATION_ERROR: Consequence(
        Fault.WORLD, cure="correct spec.serving, or create what it names"
    ),
    Reason.IMAGE_RUNS_AS_ROOT: Consequence(
        Fault.WORLD, cure="build spec.serving.image with a USER that is a number other than 0"
    ),
    Reason.CREDENTIALS_MISSING: Consequence(
        Fault.WORLD,
        cure="create it in this namespace, or correct spec.serving.credentialsSecret (or "
        "whichever field names it)",
    ),
    Reason.DOWNLOAD_FAILED: Consequence(Fault.WORLD, replace=True),
    Reason.SOURCE_NOT_ALLOWED: Consequence(Fault.WORLD),
    Reason.EVICTED: Consequence(Fault.WORLD),
    Reason.KILLED: Consequence(
        Fault.WORLD,
        replace=True,
        cure="where it was about to become ready, give it longer (spec.rollout.deadlines.load; "
        "with mode Custom also spec.serving.probes)",
    ),
    Reason.SLOT_OCCUPIED: Consequence(Fault.WORLD),
    Reason.LOBBY_NOT_READY: Consequence(
        Fault.WORLD,
        cure="see what keeps its pods from being ready (kubectl describe), or make room for them",
    ),
    Reason.DEADLINE_EXCEEDED: Consequence(Fault.WORLD),
}

_KUBELET_REASONS = {
    "ErrImagePull": Reason.IMAGE_PULL_FAILED,
    "ImagePullBackOff": Reason.IMAGE_PULL_FAILED,
    "ErrImageNeverPull": Reason.IMAGE_PULL_FAILED,
    "InvalidImageName": Reason.IMAGE_PULL_FAILED,
}
QUOTA_USED_UP = "exceeded quota"  # by whatever else is in the namespace
# Of the admission plugins ResourceQuota and LimitRanger.
_ADMISSION_REASONS = {
    QUOTA_USED_UP: Reason.QUOTA_EXCEEDED,
    "failed quota": Reason.QUOTA_EXCEEDED,
    " per Container": Reason.LIMIT_RANGE_EXCEEDED,
    " per Pod": Reason.LIMIT_RANGE_EXCEEDED,
}
_AS_ROOT = re.compile(r"runAsNonRoot|run as root")
# What the scheduler says of claims and their volumes.
_OF_CLAIMS = re.compile(r"persistent ?volume|pvc|volume (?:node affinity|zone)", re.IGNORECASE)
_OF_ROOM = "Insufficient"
_NO_SECRET = re.compile(r'secret "[^"]*" not found|couldn\'t find key \S+ in Secret')


def reason_of(failure: Failure) -> Reason:
    """Our reason for a failure: its own termination message, else what the kubelet says."""
    if failure.reason == NODE_ENDED:
        return Reason.EVICTED
    if failure.reason in FAULTS:
        return Reason(failure.reason)
    if failure.exit_code is None:
        return _kubelet_reason(failure)
    if failure.container == FETCH:
        return Reason.DOWNLOAD_FAILED
    if failure.reason == KILLED:
        return Reason.KILLED
    # A container that is neither of ours was put into the pod by somebody else.
    return Reason.START_FAILED if failure.container == SERVE else Reason.CONFIGURATION_ERROR


def is_models_fault(failure: Failure | None) -> bool:
    """Whether a candidate that fails so may be rejected for it."""
    return failure is not None and FAULTS[reason_of(failure)].fault is Fault.MODEL


def reason_of_shortage(message: str) -> Reason:
    """Our reason when the API server lets a Deployment create no pods."""
    reasons = (reason for words, reason in _ADMISSION_REASONS.items() if words in message)
    return next(reasons, Reason.CONFIGURATION_ERROR)


def with_cure(reason: Reason, message: str) -> str:
    """What the kubelet, the scheduler or the API server said, and what to do about it."""
    cure = FAULTS[reason].cure
    return f"{message.rstrip('. ')}: {cure}" if cure else message


def lacks_a_volume(unschedulable: str) -> bool:
    """Whether it is for its claims that no node takes a pod, so that no room would help."""
    return _OF_ROOM not in unschedulable and _OF_CLAIMS.search(unschedulable) is not None


def unschedulable_with_cure(message: str, claims: tuple[str, ...]) -> str:
    """What the scheduler said, and what to do about it, with the claims of the pod by name."""
    if not claims or not lacks_a_volume(message):
        return with_cure(Reason.UNSCHEDULABLE, message)
    return (
        f"{message.rstrip('. ')}: see that claim {', '.join(claims)} is there and bound "
        "(kubectl describe pvc), and that every node that the pods may run on can mount it: "
        "ReadWriteMany, or all pods on one node; or correct what names it "
        "(spec.serving.storage.cache, or the ModelRegistry's spec.artifacts)"
    )


def _kubelet_reason(failure: Failure) -> Reason:
    """The container never ran."""
    if _AS_ROOT.search(failure.message):
        return Reason.IMAGE_RUNS_AS_ROOT
    if _NO_SECRET.search(failure.message):
        return Reason.CREDENTIALS_MISSING
    return _KUBELET_REASONS.get(failure.reason, Reason.CONFIGURATION_ERROR)
