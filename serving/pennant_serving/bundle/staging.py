"""A folder to make something in before it is moved to its place on the same volume."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def clear(place: Path) -> None:
    """Take away a folder, or the link that is in its place and not what it leads to."""
    if place.is_symlink():
        place.unlink()
    shutil.rmtree(place, ignore_errors=True)


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """The folder, empty; gone afterwards with all that was not moved out of it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
