"""What `fetch` reports of an environment: the operator pins it, and later pods install by it.

Like `record`, it takes no more to import than the standard library.
"""

from __future__ import annotations

from typing import Any

from pennant_serving.environment import pins
from pennant_serving.environment.record import EnvironmentRecord


def report(record: EnvironmentRecord) -> dict[str, Any]:
    """A part of the success message."""
    return {
        "digest": record.digest,
        "python": record.python,
        "pins": pins.encode(_pins_of(record)),
        "bytes": record.bytes,
    }


def _pins_of(record: EnvironmentRecord) -> list[pins.Pin]:
    """What its lines say."""
    parts = (line.replace("==", " ").split(" ") for line in record.wheels)
    return [pins.Pin(name, version, sha256) for name, version, sha256 in parts]
