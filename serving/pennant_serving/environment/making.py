"""From a verified bundle to the packages that it asks for, or one reason why not."""

from __future__ import annotations

from pathlib import Path

from pennant_serving.environment import installing, locking, pins
from pennant_serving.environment.asked import AskedEnvironment, read_asked
from pennant_serving.environment.record import PYTHON, EnvironmentRecord
from pennant_serving.environment.settings import BundleEnvironment, PinnedEnvironment
from pennant_serving.environment.uv import Uv
from pennant_serving.environment.wheels import Wheel
from pennant_serving.failures import PodError, Reason
from pennant_serving.lifecycle.phases import Phases

PINS_CHARACTERS = 3600
"""Of the 4096 bytes that a container may end with; the rest is for what else `fetch` reports."""


def make(
    wanted: BundleEnvironment, model_path: Path, uv: Uv, phases: Phases
) -> tuple[Path, EnvironmentRecord]:
    """Resolve what the bundle asks for and install it in uv's folder: where, and what. Raises
    PodError."""
    asked = read_asked(model_path)
    _check_python(asked, wanted.pinned)
    with phases.phase("resolve"):
        wheels = _resolved(asked, wanted.pinned, uv)
    with phases.phase("install"):
        packages = installing.install(wheels, uv)
    return packages, installing.describe(packages, wheels)


def _resolved(asked: AskedEnvironment, pinned: PinnedEnvironment | None, uv: Uv) -> list[Wheel]:
    """Checked before anything of it is downloaded. Raises PodError."""
    if pinned is None:
        wheels = locking.resolve(asked, uv)
        _check_room([wheel.pin for wheel in wheels])
        return wheels
    wheels = locking.resolve_pins(pinned.pins, asked, uv)
    digest = pins.digest(wheel.pin for wheel in wheels)
    if digest != pinned.digest:  # two hashes that begin alike, or other wheels in the bundle
        raise PodError(
            Reason.DOWNLOAD_FAILED,
            f"the environment's digest is {digest}, and this revision is pinned to"
            f" {pinned.digest}: register the version again",
        )
    return wheels


def _check_python(asked: AskedEnvironment, pinned: PinnedEnvironment | None) -> None:
    pythons = {"the bundle was made with": asked.python}
    if pinned is not None:
        pythons["this revision's environment is pinned for"] = pinned.python
    for what, python in pythons.items():
        if python and python != PYTHON:
            raise PodError(
                Reason.ENVIRONMENT_MISMATCH,
                f"{what} Python {python}, and fetch has Python {PYTHON}, for which it would install"
                f" its packages: log the model with Python {PYTHON}, or set serving.environment to"
                f" Image and serving.image to one that has Python {python}",
            )


def _check_room(listed: list[pins.Pin]) -> None:
    size = len(pins.encode(listed))
    if size > PINS_CHARACTERS:
        raise PodError(
            Reason.ENVIRONMENT_MISMATCH,
            f"the bundle's environment has {len(listed)} packages, whose pins take {size}"
            f" characters: at most {PINS_CHARACTERS} can be reported, some 100 packages; log the"
            " model with what it needs itself, or set serving.environment to Image and"
            " serving.image to one that has them",
        )
