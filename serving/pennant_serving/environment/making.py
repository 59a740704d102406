"""From a verified bundle to the packages that it asks for, or one reason why not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pennant_serving.environment import installing, locking, pins, runtime
from pennant_serving.environment.asked import CONDA, REQUIREMENTS, AskedEnvironment, read_asked
from pennant_serving.environment.record import PYTHON, EnvironmentRecord
from pennant_serving.environment.settings import BundleEnvironment, PinnedEnvironment
from pennant_serving.environment.uv import Uv
from pennant_serving.environment.wheels import Wheel
from pennant_serving.failures import PodError, Reason
from pennant_serving.lifecycle.phases import Phases

LISTED = 10
"""Packages that one note names."""
_PINNED_FOR = (
    "the pins of this revision (by the version's tag pennant.environment, if it has one) are for"
)


def make(
    wanted: BundleEnvironment, model_path: Path, uv: Uv, phases: Phases
) -> tuple[Path, EnvironmentRecord]:
    """Resolve what the bundle asks for and install it in uv's folder: where, and what. Raises
    PodError."""
    wheels = resolve(wanted, model_path, uv, phases)
    with phases.phase("install"):
        packages = installing.install(wheels, uv)
    return packages, installing.describe(packages, wheels)


def resolve(wanted: BundleEnvironment, model_path: Path, uv: Uv, phases: Phases) -> list[Wheel]:
    """What the bundle asks for. Raises PodError."""
    asked = read_asked(model_path)
    _check_python(asked, wanted)
    if asked.left_out:
        phases.note("conda", _left_out(asked.left_out))
    with phases.phase("resolve"):
        return _resolved(asked, wanted.pinned, uv)


def _resolved(asked: AskedEnvironment, pinned: PinnedEnvironment | None, uv: Uv) -> list[Wheel]:
    """Checked before anything of it is downloaded. Raises PodError."""
    if pinned is None:
        return locking.resolve(asked, uv)
    if lacks := runtime.unmet(pinned.pins):
        raise PodError(
            Reason.ENVIRONMENT_MISMATCH,
            f"this server needs {', '.join(lacks)}, and the revision is pinned to other packages"
            " (by the version's tag pennant.environment, if it has one): lock the bundle with the"
            " Pennant of this operator, and register it again",
        )
    wheels = locking.resolve_pins(pinned.pins, asked, uv)
    digest = pins.digest(wheel.pin for wheel in wheels)
    if digest != pinned.digest:  # two hashes that begin alike, or other wheels in the bundle
        raise PodError(
            Reason.DOWNLOAD_FAILED,
            f"the environment's digest is {digest}, and this revision is pinned to"
            f" {pinned.digest}: register the version again",
        )
    return wheels


def _check_python(asked: AskedEnvironment, wanted: BundleEnvironment) -> None:
    pythons = {"the bundle was made with": asked.python}
    if wanted.pinned is not None:
        pythons[_PINNED_FOR] = wanted.pinned.python
    for what, python in pythons.items():
        if python and python != PYTHON:
            raise PodError(
                Reason.ENVIRONMENT_MISMATCH,
                f"{what} Python {python}, and fetch has Python {PYTHON}, for which it would install"
                f" its packages: {_another_python(python, wanted.images)}",
            )


def _another_python(python: str, images: Mapping[str, str]) -> str:
    if python in images:
        return f"set serving.python to '{python}', for which there is {images[python]}"
    return (
        f"log the model with Python {PYTHON}, have the operator's administrator list an image of"
        f" Python {python} in its PENNANT_SERVING_IMAGES, or set serving.environment to Image and"
        f" serving.image to one that has Python {python}"
    )


def _left_out(packages: tuple[str, ...]) -> str:
    named, more = ", ".join(packages[:LISTED]), len(packages) - LISTED
    return (
        f"{CONDA} asks conda for {named}{f' and {more} more' if more > 0 else ''}:"
        f" {REQUIREMENTS} is what is installed"
    )
