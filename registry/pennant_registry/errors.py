"""What can go wrong with the registry. Every message says what is the case and what to do."""

from __future__ import annotations

import re

# In an address as a URL has it, and, of a database, with anything but an @ in its password.
_ACCOUNT = re.compile(r"(?<=://)[^/?#\s]*@|(?<!http://)(?<!https://)(?<=://)[^\s:/@]*:[^\s@]*@")


def without_accounts(text: str) -> str:
    """The same without the user and password of an address in it, which end in nobody's log."""
    return _ACCOUNT.sub("", text)


class RegistryError(Exception):
    """Base of all errors of this library: a person or a pipeline has to do something."""

    code: str | None = None
    """MLflow's own, where it was MLflow that refused."""

    def __init__(self, message: str = "") -> None:
        super().__init__(without_accounts(message))


class InvalidNameError(RegistryError):
    """A model name or an alias that MLflow refuses."""


class NotARegistryError(RegistryError):
    """The tracking address is a place that cannot hold a model registry, such as plain files."""


class RegistryUnreachableError(RegistryError):
    """No answer from the registry, or one that is not MLflow's. Never the same as "not there"."""


class RunMissingError(RegistryError):
    """MLflow says that there is no such run."""


class ArtifactMissingError(RegistryError):
    """MLflow says that a run, or the source of a version, does not hold the artifact."""


class VersionMissingError(RegistryError):
    """MLflow says that there is no such model or version."""


class InvalidGateError(RegistryError):
    """A gate that cannot be read; the message names its field and value."""


class GateRefusedError(RegistryError):
    """A version may not get the alias; the message names metric, value and bound."""


class OnHoldError(RegistryError):
    """Somebody holds the alias or the version; the message says who, why and until when."""


class NothingToReleaseError(RegistryError):
    """There is no such hold; the message says which there are."""


class AliasMovedError(RegistryError):
    """Somebody else moved the alias at the same moment: look, and decide again."""


class NothingToRollBackError(RegistryError):
    """The alias is not set, or no record says which version to go back to."""


class RolloutError(RegistryError):
    """The alias moved, and the version does not serve where it was waited for; says why not."""


class RolloutHeldError(RolloutError):
    """The cluster holds it for a reason that may pass: a gate, a person, room for its pods."""


class RolloutRejectedError(RolloutError):
    """The cluster tried it and gave it up; what served before goes on."""


class RolloutSupersededError(RolloutError):
    """The alias was moved on before it served."""


class RolloutTimeoutError(RolloutError):
    """It was waited for long enough, and nothing of this was said."""


class LockError(RegistryError):
    """The packages that a bundle asks for cannot be locked; the message says why."""


class DigestMismatchError(RegistryError):
    """The bytes are not those that were registered."""
