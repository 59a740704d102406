"""What it means that MLflow knows nothing of something, and what to do then."""

from pennant_operator.decide.observed import Absent
from pennant_operator.decide.spec import Watch
from pennant_operator.decide.vocabulary import Reason

NO_SUCH = "RESOURCE_DOES_NOT_EXIST"
BAD_VALUE = "INVALID_PARAMETER_VALUE"


def absence(watch: Watch, code: str, message: str) -> Absent | None:
    """What is missing by MLflow's refusal of a question; None when it refuses something else.

    An alias that is not set is answered as a bad value, with status 400.
    """
    if code == NO_SUCH:
        return missing_model(watch) if watch.alias else missing_version(watch)
    if code == BAD_VALUE and watch.alias and "alias" in message and "not found" in message:
        return missing_alias(watch)
    return None


def missing_model(watch: Watch) -> Absent:
    """There is no such registered model."""
    return Absent(
        Reason.MODEL_NOT_FOUND,
        f"ModelRegistry {watch.registry} has no registered model {watch.model!r}: register a "
        "version of it, or correct spec.model.name.",
    )


def missing_alias(watch: Watch) -> Absent:
    """The model is there, the alias points at nothing."""
    return Absent(
        Reason.ALIAS_NOT_SET,
        f"The alias {watch.alias!r} of {watch.model!r} points at no version (upper and lower case "
        "differ): promote one, or correct spec.model.alias.",
    )


def missing_version(watch: Watch) -> Absent:
    """The pinned version is not there."""
    return Absent(
        Reason.VERSION_NOT_FOUND,
        f"ModelRegistry {watch.registry} has no version {watch.version} of {watch.model!r}: "
        "correct spec.model.version, or set spec.model.alias to follow one.",
    )
