"""What `serve` does before it imports anything that a bundle may bring in another version."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from pennant_serving.environ import Environ
from pennant_serving.environment.record import (
    PYTHON,
    EnvironmentRecord,
    environment_path,
    read,
    record_path,
)
from pennant_serving.failures import PodError, Reason

ENVIRONMENTS = ("Image", "Bundle")
PACKAGES = ("site-packages", "dist-packages")
"""The folders that an installation's packages are in."""


def activate(variables: Mapping[str, str]) -> EnvironmentRecord | None:
    """Put the bundle's packages in front of the image's; None when the image's are asked for.

    Raises PodError when they are not there or are for another Python, and SettingsError.
    """
    env = Environ(variables)
    if env.choice("PENNANT_ENVIRONMENT", "Image", ENVIRONMENTS) == "Image":
        return None
    model_path = Path(env.text("PENNANT_MODEL_PATH", "/models/bundle"))
    record = read(record_path(model_path))
    if record is None:
        raise PodError(
            Reason.LOAD_FAILED,
            f"{record_path(model_path)} is missing or of another format: fetch did not finish, or"
            " is of another release than serve",
        )
    if record.python != PYTHON:
        raise PodError(
            Reason.ENVIRONMENT_MISMATCH,
            f"the bundle's environment was installed for Python {record.python}, and this image has"
            f" Python {PYTHON}: set serving.image to one that has Python {record.python}, or remove"
            " it",
        )
    _put_in_front(environment_path(model_path))
    return record


def _put_in_front(folder: Path) -> None:
    """Behind the standard library, though: what some package calls `typing` must not hide it.

    It is a plain entry of the path: no .pth file in it is looked at, which could run code. Who sets
    PYTHONPATH wants that first, and has it first.
    """
    names = (Path(entry).name for entry in sys.path)
    places = (n for n, name in enumerate(names) if name in PACKAGES)
    sys.path.insert(next(places, len(sys.path)), str(folder))
