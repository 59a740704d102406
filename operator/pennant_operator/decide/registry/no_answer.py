"""What is desired while a ModelRegistry cannot be asked, or does not answer, and what to do."""

from datetime import datetime

from pennant_operator.decide.registry.registries import InvalidRegistryError
from pennant_operator.decide.seen.observed import Refused, Unknown
from pennant_operator.decide.vocabulary import Reason


def registry_not_there_yet(name: str, namespace: str) -> Unknown:
    """Whoever applies both may do it in either order, so a missing one is awaited for a moment."""
    return Unknown(
        Reason.WAITING_FOR_REGISTRY,
        f"there is no ModelRegistry {name} in namespace {namespace} yet; the operator looks again"
        " within seconds and then says what to do",
    )


def registry_not_found(name: str, namespace: str) -> Refused:
    """There is no such ModelRegistry."""
    return Refused(
        Reason.REGISTRY_NOT_FOUND,
        f"there is no ModelRegistry {name} in the operator's namespace {namespace}: create it "
        f"there (kubectl -n {namespace} get modelregistries lists those there are), "
        "or set spec.registry to one of these",
    )


def registry_invalid(name: str, namespace: str, error: InvalidRegistryError) -> Refused:
    """The ModelRegistry's own spec cannot be used."""
    return Refused(
        Reason.REGISTRY_INVALID,
        f"ModelRegistry {name} cannot be used: {error}; its administrator can correct it with "
        f"kubectl -n {namespace} edit modelregistry {name}",
    )


def registries_not_read() -> Unknown:
    """The operator has just started."""
    return Unknown(
        Reason.WAITING_FOR_REGISTRY,
        "the operator has just started and reads its ModelRegistries within seconds",
    )


def registry_not_asked(name: str) -> Unknown:
    """The first answer is still to come."""
    return Unknown(
        Reason.WAITING_FOR_REGISTRY,
        f"ModelRegistry {name} has not answered yet; if this lasts, its status says why: "
        f"kubectl describe modelregistry {name}, in the operator's namespace",
    )


def registry_silent(name: str, since: datetime | None) -> Unknown:
    """It has not answered for long."""
    return Unknown(
        Reason.REGISTRY_UNREACHABLE,
        f"ModelRegistry {name} has not answered for 15 minutes: its status says what is wrong "
        f"(kubectl describe modelregistry {name}, in the operator's namespace)",
        since,
    )
