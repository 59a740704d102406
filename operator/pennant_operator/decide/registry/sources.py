"""Where pods pull a version from, and why they may not: the one rule is the registry library's.

What the MLflow server proxies lies in a store behind it. With a root, pods pull from there: the
address is made here, once, and recorded with the revision, so that another root rolls nothing.
"""

from dataclasses import replace

from pennant_operator.decide.seen.observed import ModelVersion, Refused
from pennant_operator.decide.vocabulary import Reason
from pennant_registry.sources import problem, proxied_path


def with_pull_source(
    version: ModelVersion, root: str | None, allowed: tuple[str, ...], *, registry: str
) -> ModelVersion | Refused:
    """The version with the address that pods pull it from, or why they may not.

    `root` is where the server's proxied artifacts lie; None leaves them to the server.
    """
    refused = source_refusal(version.source, allowed, registry=registry)
    if refused is not None:
        return replace(refused, version=version.version)
    if root is None:
        return version
    return replace(version, source=_behind_root(version.source, root))


def allowed_with_root(given: tuple[str, ...], root: str | None) -> tuple[str, ...]:
    """Prefixes with what they stand for at the root: what is allowed by one name is by both."""
    if root is None:
        return given
    behind = (_behind_root(prefix, root) for prefix in given if proxied_path(prefix) is not None)
    return (*given, *(prefix for prefix in behind if prefix not in given))


def source_refusal(source: str, allowed: tuple[str, ...], *, registry: str) -> Refused | None:
    """Why a resolved source may not be downloaded; None when it may."""
    fault = problem(source, allowed)
    if fault is None:
        return None
    message = f"ModelRegistry {registry}: the version's source {source!r} {fault}"
    return Refused(Reason.SOURCE_NOT_ALLOWED, message)


def _behind_root(source: str, root: str) -> str:
    path = proxied_path(source)
    return source if path is None else f"{root}/{path}"
