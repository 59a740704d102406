"""Where a version's artifacts may come from: nowhere that floats, nowhere that was not allowed.

One rule for two who ask: the operator before it writes a source into a pod, and `fetch` in the pod
before it attaches credentials to anything. A source that is resolved again at download time (an
alias, a stage) would let two pods of one revision load different bytes; one outside the list would
send a namespace's credentials to an address that nobody approved. Pure; standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

PROXIED = "mlflow-artifacts:"
"""Of the MLflow server itself, which hands out what lies in a store behind it."""
UNRESOLVED = ("models", "runs")
"""Schemes of what moves, or what only a registry can resolve."""
DEFAULT_ALLOWED = (f"{PROXIED}/",)
DEPTH = 8
"""How often a source may be percent-encoded; nobody means it more often than once."""

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")


def problem(source: str, allowed: Sequence[str]) -> str | None:
    """What is wrong with a source, as the predicate of a sentence; None when it may be downloaded.

    `allowed` are prefixes; each ends at a `/`, or at the `:` of a scheme alone.
    """
    if (wrong := _fault(source)) is not None:
        return wrong
    if any(is_below(source, prefix) for prefix in allowed):
        return None
    return (
        f"is none of the allowed sources ({', '.join(allowed)}): register the version from one of "
        "these, or have the administrator add its prefix to spec.allowedSources of the "
        "ModelRegistry"
    )


def joined(allowed: Sequence[str]) -> str:
    """Prefixes as one text, such as a variable holds."""
    return ",".join(allowed) or ","  # an empty variable would count as one that is not set


def listed(text: str) -> tuple[str, ...]:
    """The prefixes that `joined` made a text of."""
    return tuple(entry.strip() for entry in text.split(",") if entry.strip())


def proxied_path(source: str) -> str | None:
    """The path below `mlflow-artifacts:/`; None for a source in a store of its own."""
    return source.removeprefix(PROXIED).lstrip("/") if source.startswith(PROXIED) else None


def logged_model(source: str) -> str | None:
    """The id of the logged model that a source names: not every MLflow tells it beside."""
    model_id = source.removeprefix("models:/").partition("/")[0]
    return model_id if source.startswith("models:/m-") else None


def is_below(source: str, prefix: str) -> bool:
    """Whether a source is the prefix or below it: s3://models does not allow s3://models-2."""
    source, prefix = _plainly(source), _plainly(prefix)
    whole = prefix.endswith("/") or _SCHEME.fullmatch(prefix) is not None
    return source == prefix or source.startswith(prefix if whole else f"{prefix}/")


def _plainly(source: str) -> str:
    """`mlflow-artifacts:///x` is `mlflow-artifacts:/x`: neither names a host."""
    return re.sub(rf"^{PROXIED}/+", f"{PROXIED}/", source)


def _fault(source: str) -> str | None:
    """What is wrong with a source whatever the list allows."""
    if source.partition(":")[0].lower() in UNRESOLVED:
        return (
            "floats: what it names can change after it was checked. Register the version from a "
            "run's artifact or a logged model, not from an alias, a stage or another version"
        )
    if not _SCHEME.match(source):
        return (
            "begins with no scheme in small letters, such as s3: or mlflow-artifacts:. Register "
            "the version from an address of an artifact store"
        )
    if source.startswith(f"{PROXIED}//") and not source.startswith(f"{PROXIED}///"):
        return (
            "names a host of its own, and downloads would send credentials there. Register the "
            f"version with {PROXIED}/<path>, which is this registry's own server"
        )
    if not _is_plain(source):
        return (
            "holds .., a backslash or what cannot be printed, and could lead out of what is "
            "allowed. Register the version from a plain path"
        )
    if not _is_address(source):
        return (
            "has a query, a fragment or half a host: no artifact store is addressed so. Register "
            "the version from a path without ? and #"
        )
    return None


def _is_plain(source: str) -> bool:
    """No step upwards and nothing unprintable, however often it is percent-encoded."""
    for _ in range(DEPTH):
        if "\\" in source or not source.isprintable() or ".." in _segments(source):
            return False
        decoded = unquote(source)
        if decoded == source:
            return True
        source = decoded
    return False


def _segments(source: str) -> list[str]:
    """Of the path, which may begin right after the scheme: mlflow-artifacts:../x."""
    return [*source.split("/"), *source.partition(":")[2].split("/")]


def _is_address(source: str) -> bool:
    """Whether all of it is an address and a path: a store never sees what stands behind ? or #."""
    try:
        urlsplit(source)
    except ValueError:  # half an IPv6 address, letters that turn into / or @
        return False
    return "?" not in source and "#" not in source
