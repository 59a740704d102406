"""What the server itself needs, whatever the model: a bundle's packages are resolved with it."""

from __future__ import annotations

from importlib.metadata import requires

from packaging.requirements import Requirement

DISTRIBUTION = "pennant"
EXTRA = "runtime"
"""Its bounds are written once, in pyproject.toml, and installed with the code."""


def requirements() -> list[str]:
    """As uv gets them, without those of other platforms."""
    listed = [Requirement(each) for each in requires(DISTRIBUTION) or ()]
    own = [each for each in listed if each.marker and each.marker.evaluate({"extra": EXTRA})]
    return [str(_bare(each)) for each in own]


def _bare(requirement: Requirement) -> Requirement:
    requirement.marker = None  # it holds: here is where it is asked
    return requirement
