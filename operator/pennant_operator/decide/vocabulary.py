"""The words the API speaks: group, labels, annotations, condition types and reasons.

Everything a person can read on an object is spelled here once.
"""

from enum import StrEnum

GROUP = "pennant.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
FIELD_MANAGER = "pennant"
STATUS_FIELD_MANAGER = "pennant-status"

LABEL_DEPLOYMENT = f"{GROUP}/deployment"
LABEL_SLOT = f"{GROUP}/slot"
LABEL_REVISION = f"{GROUP}/revision"
LABEL_LOBBY = f"{GROUP}/lobby"  # on pods that hold requests, while nothing can answer them
LABEL_CHECK = f"{GROUP}/check"  # on a ModelRegistry that an installer made to see if it is valid
LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
LABEL_NAME = "app.kubernetes.io/name"
MANAGED_BY = "pennant"
MANAGED_SELECTOR = f"{LABEL_MANAGED_BY}={MANAGED_BY}"

ANNOTATION_MODEL = f"{GROUP}/model"
ANNOTATION_MODEL_VERSION = f"{GROUP}/model-version"
# The truth about traffic: written on the Service together with its selector, in one request.
ANNOTATION_ACTIVE_SLOT = f"{GROUP}/active-slot"
ANNOTATION_ACTIVE_REVISION = f"{GROUP}/active-revision"
ANNOTATION_ACTIVE_SINCE = f"{GROUP}/active-since"
ANNOTATION_WARM_REVISION = f"{GROUP}/warm-revision"
ANNOTATION_ALONGSIDE_REVISION = f"{GROUP}/alongside-revision"  # where it leads to both slots

# On pods: to whom they hand requests over, as JSON; they read it from a file.
ANNOTATION_TRAFFIC = f"{GROUP}/traffic"

# A hash of what was applied last, on every child; and how often it was set back since.
ANNOTATION_APPLIED = f"{GROUP}/applied"
ANNOTATION_SET_BACK = f"{GROUP}/set-back"
# On the Lease, written with its renewals: the last decision that its holder printed.
ANNOTATION_DECISIONS = f"{GROUP}/decisions"

SLOTS = ("blue", "green")
NO_SLOT = "none"
FETCH = "fetch"  # the containers of a pod
SERVE = "serve"
PORT_NAME = "http"  # the port where `serve` answers
MODELS = "models"  # its volume with the bundle
CACHE = "cache"  # and of the claim that pods share


class Condition(StrEnum):
    """Condition types of a ModelDeployment."""

    READY = "Ready"  # traffic is being answered
    RECONCILING = "Reconciling"  # work is in progress
    STALLED = "Stalled"  # a person must act, or nothing will ever serve
    ALIAS_IN_SYNC = "AliasInSync"  # what serves is what the alias points at


class Summary(StrEnum):
    """`status.summary`: one word for the Status column."""

    SERVING = "Serving"
    ROLLING_OUT = "RollingOut"
    BAKING = "Baking"
    HELD = "Held"
    REJECTED = "Rejected"
    SUSPENDED = "Suspended"
    WAITING = "Waiting"
    STALLED = "Stalled"


class Reason(StrEnum):
    """Condition, event and rejection reasons."""

    # Ready
    SERVING = "Serving"  # at least one pod with traffic is ready
    NOTHING_SERVED_YET = "NothingServedYet"  # no version has ever had traffic
    NO_POD_READY = "NoPodReady"  # the active slot has no ready pod
    HANDING_OVER = "HandingOver"  # requests wait in the lobby until pods answer again
    SCALED_DOWN = "ScaledDown"  # the alias was removed, and spec.onAliasRemoved is ScaleDown
    SCALED_TO_ZERO = "ScaledToZero"  # spec.replicas is 0: nothing answers, nothing is proved
    # Reconciling
    ROLLING_OUT = "RollingOut"  # a candidate is being brought up
    SCALING = "Scaling"  # the active slot has fewer ready pods than it is to have, or more
    WAITING_FOR_VERSION = "WaitingForVersion"  # the spec changed, and what it asks for is not known
    SETTLED = "Settled"  # nothing is in progress
    WRITE_FAILED = "WriteFailed"  # the API server fails on a child: a webhook that is down
    # Stalled
    INVALID_SPEC = "InvalidSpec"  # a field of the spec cannot be understood
    NAME_CONFLICT = "NameConflict"  # an object that is not ours has a child's name
    REGISTRY_NOT_FOUND = "RegistryNotFound"  # no such ModelRegistry in the operator's namespace
    REGISTRY_INVALID = "RegistryInvalid"  # the ModelRegistry's own spec cannot be used
    NOT_ALLOWED = "NotAllowed"  # the ModelRegistry does not allow this namespace or model
    WRITE_REFUSED = "WriteRefused"  # the API server does not take a child: schema, rights, policy
    SOURCE_NOT_ALLOWED = "SourceNotAllowed"  # outside the registry's allowed sources, or floating
    IMAGE_NOT_ALLOWED = "ImageNotAllowed"  # the version's tag names one that may not run
    NOT_STALLED = "NotStalled"
    # AliasInSync
    IN_SYNC = "InSync"
    PINNED = "Pinned"
    SUSPENDED = "Suspended"
    REJECTED = "Rejected"
    HELD = "Held"
    HELD_IN_REGISTRY = "HeldInRegistry"  # somebody holds the alias or the version there
    HELD_BY_ACTION = "HeldByAction"  # a RolloutAction Hold is in force
    GATE_NOT_PASSED = "GateNotPassed"  # a gate says no, or nobody can tell
    BRAKED = "Braked"  # too many aliases of its registry moved or vanished at once
    IN_LINE = "InLine"  # as many of its registry's candidates come up as may at once
    WAITING_FOR_REGISTRY = "WaitingForRegistry"  # the registry has not answered yet
    REGISTRY_UNREACHABLE = "RegistryUnreachable"
    VERSION_NOT_RESOLVED = "VersionNotResolved"  # where its bytes are is not to be had
    MODEL_NOT_READABLE = "ModelNotReadable"  # hidden from the registry's account
    MODEL_NOT_ANSWERED = "ModelNotAnswered"  # an error about this model alone
    MODEL_NOT_FOUND = "ModelNotFound"
    ALIAS_NOT_SET = "AliasNotSet"
    STAGE_EMPTY = "StageEmpty"
    VERSION_NOT_FOUND = "VersionNotFound"
    SERVING_VERSION_MISSING = "ServingVersionMissing"  # what serves was deleted in the registry
    # The model's fault: the revision is rejected (verdicts.py)
    LOAD_FAILED = "LoadFailed"
    DIGEST_MISMATCH = "DigestMismatch"
    ENVIRONMENT_MISMATCH = "EnvironmentMismatch"
    SELF_TEST_FAILED = "SelfTestFailed"
    REHEARSAL_FAILED = "RehearsalFailed"  # it answers the newest requests otherwise than before
    BUNDLE_MISSING = "BundleMissing"
    START_FAILED = "StartFailed"
    CRASHED_IN_BAKE = "CrashedInBake"
    ERRORS_IN_BAKE = "ErrorsInBake"  # too many of its answers are 5xx (answers.py)
    SLOW_IN_BAKE = "SlowInBake"  # its answers take much longer than those before
    ERRORS_IN_CANARY = "ErrorsInCanary"  # so are too many of its share of the requests
    SLOW_IN_CANARY = "SlowInCanary"  # its answers take much longer than those beside it
    ABORTED = "Aborted"  # a person said so, by a RolloutAction
    # The world's fault: the revision is held (verdicts.py)
    QUOTA_EXCEEDED = "QuotaExceeded"
    LIMIT_RANGE_EXCEEDED = "LimitRangeExceeded"
    UNSCHEDULABLE = "Unschedulable"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    CONFIGURATION_ERROR = "ConfigurationError"
    IMAGE_RUNS_AS_ROOT = "ImageRunsAsRoot"
    CREDENTIALS_MISSING = "CredentialsMissing"
    DOWNLOAD_FAILED = "DownloadFailed"
    EVICTED = "Evicted"
    KILLED = "Killed"  # from outside, before it was ready
    SLOT_OCCUPIED = "SlotOccupied"  # pods of an earlier revision do not end
    LOBBY_NOT_READY = "LobbyNotReady"  # what is to hold requests meanwhile does not come up
    DEADLINE_EXCEEDED = "DeadlineExceeded"


class Occasion(StrEnum):
    """What notifiers of a ModelRegistry may be asked to tell, as `spec.notify` has it."""

    SERVING = "Serving"  # a version got the traffic
    HELD = "Held"  # one is not rolled out, or parked, for a reason that may pass
    REJECTED = "Rejected"  # one failed, and is not tried again
    ROLLED_BACK = "RolledBack"  # the traffic went back


class EventReason(StrEnum):
    """Reasons of Events, which are posted on transitions only."""

    ALIAS_MOVED = "AliasMoved"
    ROLLOUT_STARTED = "RolloutStarted"
    TRAFFIC_MOVED = "TrafficMoved"
    WEIGHT_CHANGED = "WeightChanged"
    BAKE_PASSED = "BakePassed"
    ANSWERS_BAD = "AnswersBad"
    ENVIRONMENT_DIFFERS = "EnvironmentDiffers"
    SCALED_DOWN = "ScaledDown"
    VERSION_REJECTED = "VersionRejected"
    ROLLOUT_HELD = "RolloutHeld"
    ROLLOUT_ACTION = "RolloutAction"
    POD_REPLACED = "PodReplaced"
    RECORD_UNREADABLE = "RecordUnreadable"
    NOTIFICATION_GIVEN_UP = "NotificationGivenUp"
    FIELD_CHANGED = "FieldChangedByOthers"
    SERVING_VERSION_MISSING = "ServingVersionMissing"
    STALLED = "Stalled"
