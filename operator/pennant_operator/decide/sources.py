"""Where a version's artifacts may come from: nowhere that floats, nowhere that was not allowed.

Pods download what the operator resolved once. A source that is resolved again at download time
(an alias, a stage) would let two pods of one revision load different bytes; a source outside the
registry's list would send a namespace's credentials to an address nobody approved.
"""

from urllib.parse import unquote

from pennant_operator.decide.observed import Refused
from pennant_operator.decide.vocabulary import Reason

PROXIED = "mlflow-artifacts:"
DEFAULT_ALLOWED = ("mlflow-artifacts:/",)
_UNRESOLVED = ("models:", "runs:")


def refusal(source: str, allowed: tuple[str, ...], *, registry: str) -> Refused | None:
    """Why a resolved source may not be downloaded; None when it may."""
    fault = _fault(source)
    if fault is None and not any(_below(source, prefix) for prefix in allowed):
        fault = (
            f"is none of the allowed sources of ModelRegistry {registry} ({', '.join(allowed)}): "
            "register the version from one of these, or have the administrator add its prefix to "
            "spec.allowedSources"
        )
    if fault is None:
        return None
    return Refused(Reason.SOURCE_NOT_ALLOWED, f"the version's source {source!r} {fault}")


def _fault(source: str) -> str | None:
    """What is wrong with a source whatever the list allows."""
    if source.startswith(_UNRESOLVED):
        return (
            "floats: what it names can change after it was checked. Register the version from a "
            "run's artifact or a logged model, not from an alias, a stage or another version"
        )
    if source.startswith(f"{PROXIED}//") and not source.startswith(f"{PROXIED}///"):
        return (
            "names a host of its own, and downloads would send credentials there. Register the "
            f"version with {PROXIED}/<path>, which is this registry's own server"
        )
    if not _plain(source):
        return (
            "holds .., a backslash or control characters, and could lead out of what is allowed. "
            "Register the version from a plain path"
        )
    return None


def _plain(source: str) -> bool:
    """No step upwards and nothing unprintable, however often it is percent-encoded."""
    for _ in range(3):
        if "\\" in source or not source.isprintable() or ".." in source.split("/"):
            return False
        source = unquote(source)
    return True


def _below(source: str, prefix: str) -> bool:
    """Whether a source is the prefix or below it: s3://models does not allow s3://models-2."""
    return source.startswith(prefix if prefix.endswith("/") else f"{prefix}/") or source == prefix
