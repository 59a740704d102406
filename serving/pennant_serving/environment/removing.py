"""Taking an environment off the volume, so that nobody takes a part of it for the whole."""

from __future__ import annotations

from pathlib import Path

from pennant_serving.bundle.staging import clear
from pennant_serving.environment.record import environment_path, record_path


def remove(model_path: Path) -> None:
    """The record first."""
    record_path(model_path).unlink(missing_ok=True)
    clear(environment_path(model_path))
