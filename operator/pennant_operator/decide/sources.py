"""Where a version's artifacts may come from: nowhere that floats, nowhere that was not allowed.

Pods download what the operator resolved once. A source that is resolved again at download time
(an alias, a stage) would let two pods of one revision load different bytes; a source outside the
registry's list would send a namespace's credentials to an address nobody approved.

What the MLflow server proxies lies in a store behind it. With a root, pods pull from there: the
address is made here, once, and recorded with the revision, so that another root rolls nothing.
"""

from dataclasses import replace
from urllib.parse import unquote

from pennant_operator.decide.observed import ModelVersion, Refused
from pennant_operator.decide.vocabulary import Reason

PROXIED = "mlflow-artifacts:"
DEFAULT_ALLOWED = ("mlflow-artifacts:/",)
_UNRESOLVED = ("models:", "runs:")


def pulled(
    version: ModelVersion, root: str | None, allowed: tuple[str, ...], *, registry: str
) -> ModelVersion | Refused:
    """The version with the address that pods pull it from, or why they may not.

    `root` is where the server's proxied artifacts lie; None leaves them to the server.
    """
    told = refusal(version.source, allowed, registry=registry)
    if told is not None or root is None:
        return told or version
    return replace(version, source=_behind(version.source, root))


def allowed_with(given: tuple[str, ...], root: str | None) -> tuple[str, ...]:
    """Prefixes with what they stand for at the root: what is allowed by one name is by both."""
    if root is None:
        return given
    behind = (_behind(prefix, root) for prefix in given if prefix.startswith(PROXIED))
    return (*given, *(prefix for prefix in behind if prefix not in given))


def _behind(source: str, root: str) -> str:
    if not source.startswith(PROXIED):
        return source
    return f"{root}/{source.removeprefix(PROXIED).lstrip('/')}"


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
    while True:
        if "\\" in source or not source.isprintable() or ".." in _segments(source):
            return False
        decoded = unquote(source)
        if decoded == source:
            return True
        source = decoded


def _segments(source: str) -> list[str]:
    """Of the path, which may begin right after the scheme: mlflow-artifacts:../x."""
    return [*source.split("/"), *source.partition(":")[2].split("/")]


def _below(source: str, prefix: str) -> bool:
    """Whether a source is the prefix or below it: s3://models does not allow s3://models-2."""
    return source.startswith(prefix if prefix.endswith("/") else f"{prefix}/") or source == prefix
