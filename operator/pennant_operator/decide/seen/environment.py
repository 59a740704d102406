"""What `fetch` installed of a bundle's own environment: as it reports it, and as that is pinned."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pennant_operator.decide.seen.spec import BUNDLE
from pennant_registry import lock_form

# The variable of both containers of a pod that installs packages.
INSTALLS = {"name": "PENNANT_ENVIRONMENT", "value": BUNDLE}
_DIGEST = re.compile(r"[0-9a-f]{64}")
MAX_REPORT_CHARACTERS = 4096  # of what `fetch` installed: as many as a termination message has


@dataclass(frozen=True)
class InstalledEnvironment:
    """The packages of one pod, or of all pods of a revision."""

    digest: str  # sha256 over names, versions and wheels
    size: int  # bytes on the volume
    report: str  # compact JSON: what later pods install by


def environment_key(revision: str) -> str:
    """The key, beside the pinned digests, of what the first pods of a revision installed."""
    return f"environment.{revision}"


def environment_from_report(report: Any) -> InstalledEnvironment | None:
    """Of the field `environment` of a success message; None for what is no whole report."""
    if not isinstance(report, dict):
        return None
    digest, size = report.get("digest"), report.get("bytes")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        return None
    if type(size) is not int or size < 0:  # to Python, true is a number
        return None
    if not all(isinstance(report.get(field), str) for field in ("python", "pins")):
        return None
    text = json.dumps(report, sort_keys=True, separators=(",", ":"))
    return InstalledEnvironment(digest, size, text) if len(text) <= MAX_REPORT_CHARACTERS else None


def environment_from_pin(text: Any) -> InstalledEnvironment | None:
    """Of a report that was pinned; what somebody wrote over it counts as none."""
    try:
        return environment_from_report(json.loads(text))
    except (TypeError, ValueError, RecursionError):
        return None


def environment_from_lock(text: str) -> InstalledEnvironment | None:
    """Of a version's tag, which says what its pods are to install; nobody has weighed it yet."""
    try:
        return InstalledEnvironment(lock_form.read(text).digest, 0, text)
    except ValueError:
        return None


def common_environment(
    environments: Iterable[InstalledEnvironment | None],
) -> InstalledEnvironment | None:
    """What all of them are; None where one is unknown, or another. Sizes may differ a little."""
    every = list(environments)
    known = [each for each in every if each is not None]
    if not known or len(known) < len(every) or len({each.digest for each in known}) > 1:
        return None
    return min(known, key=lambda each: each.report)
