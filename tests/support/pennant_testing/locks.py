"""What the locks in requirements/ have."""

import re
from pathlib import Path
from typing import NamedTuple

from packaging.markers import Marker

FOLDER = Path(__file__).parents[3] / "requirements"
_PIN = re.compile(r"^([a-z0-9][^\s=]*)==(\S+)(?: ; (.*))? \\$", re.MULTILINE)


class Locked(NamedTuple):
    """A package as a lock has it, without its hashes."""

    name: str
    version: str
    marker: str
    """The Pythons and platforms that it is for; empty for all."""


def locked(lock: str) -> list[Locked]:
    """Every package of a lock, such as `serving`."""
    return [Locked(*each) for each in _PIN.findall((FOLDER / f"{lock}.txt").read_text())]


def installed(lock: str, python: str) -> list[Locked]:
    """Those that it installs on Linux with a Python such as 3.12."""
    platform = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "sys_platform": "linux",
    }
    return [
        each for each in locked(lock) if not each.marker or Marker(each.marker).evaluate(platform)
    ]
