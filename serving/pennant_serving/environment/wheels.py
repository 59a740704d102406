"""Wheels: what one is, and which of several is the one for this Python on this machine."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.tags import Tag, sys_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from pennant_serving.environment.pins import Pin


@dataclass(frozen=True)
class Wheel:
    """One, and where it is."""

    name: str
    version: str
    sha256: str
    url: str
    """http or https; or file, in the bundle."""
    listed_as: str = ""
    """Its file's name, where the address does not end with it."""

    @property
    def pin(self) -> Pin:
        return Pin(self.name, self.version, self.sha256)

    @property
    def path(self) -> Path | None:
        """In the bundle; None for what is on an index."""
        parts = urlsplit(self.url)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None

    @property
    def filename(self) -> str:
        return self.listed_as or unquote(urlsplit(self.url).path.rpartition("/")[2])


def fits(filename: str) -> bool:
    """Whether a wheel of this name is for this Python and platform."""
    return _rank(filename) is not None


def best(wheels: Iterable[Wheel]) -> Wheel | None:
    """The one that an installer would take; None when none fits."""
    ranked = [(rank, wheel) for wheel in wheels if (rank := _rank(wheel.filename)) is not None]
    return min(ranked, key=lambda each: each[0])[1] if ranked else None


def _rank(filename: str) -> tuple[int, tuple[int, str]] | None:
    """Smaller is better: by its tags, then by its build number; None when it does not fit."""
    try:
        _, _, build, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return None
    places = [place for tag in tags if (place := _places().get(tag)) is not None]
    number, letters = build or (0, "")
    return (min(places), (-number, letters)) if places else None


@functools.cache
def _places() -> dict[Tag, int]:
    """The tags that are taken here, each with its place among them."""
    return {tag: place for place, tag in enumerate(sys_tags())}
