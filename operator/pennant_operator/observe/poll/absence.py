"""What is missing, by what a registry knows of a model."""

from pennant_operator.decide.seen.observed import Absent
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.decide.vocabulary import Reason
from pennant_operator.observe.mlflow.answers import RegisteredModel


def nothing_there(watch: Watch, model: RegisteredModel | None) -> Absent | None:
    """Why there is nothing to follow; None when there is, or when a version must be asked for."""
    if model is None:
        return missing_version(watch) if watch.version else missing_model(watch)
    if watch.alias is not None and watch.alias not in model.aliases:
        return missing_alias(watch)
    if watch.stage is not None and watch.stage not in model.stages:
        return empty_stage(watch)
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
        f"the alias {watch.alias!r} of {watch.model!r} points at no version (upper and lower case "
        "differ): promote one, or correct spec.model.alias.",
    )


def empty_stage(watch: Watch) -> Absent:
    """The model is there, and no version of it is in the stage."""
    return Absent(
        Reason.STAGE_EMPTY,
        f"the stage {watch.stage!r} of {watch.model!r} holds no version: move one into it, or "
        "correct spec.model.stage.",
    )


def missing_version(watch: Watch) -> Absent:
    """The pinned version is not there."""
    return Absent(
        Reason.VERSION_NOT_FOUND,
        f"ModelRegistry {watch.registry} has no version {watch.version} of {watch.model!r}: "
        "correct spec.model.version, or set spec.model.alias in its place.",
    )
