"""What a registry was asked for, and does not tell: whose fault that is, and what to do."""

from pennant_operator.decide.seen.observed import Unresolved
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.decide.vocabulary import Reason
from pennant_operator.observe.mlflow.trouble import (
    NotAllowedError,
    RegistryTroubleError,
    cause,
)
from pennant_operator.observe.poll.known import Stamp
from pennant_operator.observe.poll.recorded import Pointed

_RETRY_CLAUSE = "it is asked again, at most 5 minutes apart"


class NotResolvedError(RegistryTroubleError):
    """A version is there, and where its bytes are is not to be had."""

    def __init__(self, at: Pointed, stamp: Stamp, why: RegistryTroubleError) -> None:
        super().__init__(str(why))
        self.at = at
        self.stamp = stamp
        self.why = why


def unresolved(watch: Watch, error: Exception) -> Unresolved:
    """What an error says about one watch, where all else is well."""
    if isinstance(error, NotResolvedError):
        return _no_source(watch, error.at.version, error.why)
    if isinstance(error, NotAllowedError):
        return Unresolved(Reason.MODEL_NOT_READABLE, _hidden(watch))
    return Unresolved(
        Reason.MODEL_NOT_ANSWERED,
        f"ModelRegistry {watch.registry} answers, but not about {watch.model!r} ({cause(error)}): "
        f"correct spec.model, or see MLflow's log; {_RETRY_CLAUSE}",
    )


def _no_source(watch: Watch, version: str, why: Exception) -> Unresolved:
    other = "another version promoted" if watch.version is None else "pin another version"
    cure = f"have its run restored, or {other}"
    if isinstance(why, NotAllowedError):
        cure = "have its administrator let its account read the experiment of the version's run"
    return Unresolved(
        Reason.VERSION_NOT_RESOLVED,
        f"{watch.pointer} {watch.verb} version {version}, and ModelRegistry {watch.registry} does "
        f"not tell where its bytes are ({cause(why)}): {cure}; {_RETRY_CLAUSE}",
        version,
    )


def _hidden(watch: Watch) -> str:
    """The model may be there; this account is not told."""
    return (
        f"the account of ModelRegistry {watch.registry} may not read {watch.model!r} (403): have "
        "its administrator let it read the model and its experiment, or correct spec.model.name; "
        f"{_RETRY_CLAUSE}"
    )
