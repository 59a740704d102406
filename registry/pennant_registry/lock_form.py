"""The packages that a version is locked to, as its tag has them. Pure: the operator's too.

The tag holds what the first pods of a revision would report of the same packages, as `fetch` reads
it. Which packages those are is in its pins; a wheel's hash in them, and the digest over all, keep
everybody to these.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from pennant_registry.names import TAG_VALUE_LIMIT

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PYTHON = re.compile(r"\d+\.\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class EnvironmentLock:
    """What the tag says."""

    digest: str
    """Hex sha256 over names, versions and wheels."""
    python: str
    """Major and minor of the Python that the wheels are for."""
    pins: str
    """Names, versions and hashes, compressed."""


def written(lock: EnvironmentLock) -> str:
    """The tag's value."""
    return json.dumps(asdict(lock), sort_keys=True, separators=(",", ":"))


def read(value: str) -> EnvironmentLock:
    """The lock in a tag's value. Raises ValueError, which says what is wrong with it."""
    if len(value) > TAG_VALUE_LIMIT:
        raise ValueError(f"has {len(value)} characters, and a lock {TAG_VALUE_LIMIT} at most")
    try:
        content = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ValueError("is no JSON") from error
    if not isinstance(content, dict):
        raise ValueError("is no JSON object")  # noqa: TRY004 - of a text
    lock = EnvironmentLock(*(_text(content, name) for name in ("digest", "python", "pins")))
    if not _DIGEST.fullmatch(lock.digest):
        raise ValueError("has a digest that is not 64 hexadecimal digits")
    if not _PYTHON.fullmatch(lock.python):
        raise ValueError("has a python that is not major.minor, such as 3.12")
    return lock


def _text(content: dict[str, Any], name: str) -> str:
    given = content.get(name)
    if not isinstance(given, str) or not given:
        raise ValueError(f"has no text for {name}")
    return given
