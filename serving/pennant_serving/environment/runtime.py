"""What the server itself needs, whatever the model: a bundle's packages are resolved with it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pennant_serving.environment.pins import Pin

DISTRIBUTION = "pennant"
EXTRA = "runtime"
"""Its bounds are written once, in pyproject.toml, and installed with the code."""


def requirements() -> list[str]:
    """As uv gets them, without those of other platforms."""
    listed = [Requirement(each) for each in requires(DISTRIBUTION) or ()]
    own = [each for each in listed if each.marker and each.marker.evaluate({"extra": EXTRA})]
    return [str(_bare(each)) for each in own]


def unmet(pins: Iterable[Pin]) -> list[str]:
    """What of that some pins lack, or have in another version."""
    versions = {pin.name: pin.version for pin in pins}
    needed = [Requirement(each) for each in requirements()]
    return [
        str(each) for each in needed if not _lets(each, versions.get(canonicalize_name(each.name)))
    ]


def _lets(requirement: Requirement, version: str | None) -> bool:
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def _bare(requirement: Requirement) -> Requirement:
    requirement.marker = None  # it holds: here is where it is asked
    return requirement
