"""What is being made: a folder each, with a lock beside it that its maker has all the while."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pennant_serving.cache import locks

FOLDER = "incoming"


@contextmanager
def making(root: Path) -> Iterator[Path]:
    """An empty folder; gone afterwards with all that was not moved out of it."""
    folder = _new(root)
    lock = folder.with_suffix(".lock")
    opened = locks.acquire(lock, locks.EXCLUSIVE, create=True)
    try:
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.unlink(missing_ok=True)
        os.close(opened)


def move_away(root: Path, path: Path) -> Path:
    """From its place, at once, to where nobody makes anything: `sweep` would delete it, too."""
    away = _new(root)
    path.rename(away)
    return away


def delete(path: Path) -> None:
    """What was moved away."""
    shutil.rmtree(path, ignore_errors=True)


def sweep(root: Path) -> None:
    """Delete what nobody makes any more: a process was killed at it."""
    for path in (root / FOLDER).iterdir():
        folder, lock = path.with_suffix(""), path.with_suffix(".lock")
        with suppress(BlockingIOError):
            _sweep(folder, lock)


def _sweep(folder: Path, lock: Path) -> None:
    try:
        opened = locks.acquire(lock, locks.EXCLUSIVE)
    except FileNotFoundError:  # a maker has one before there is a folder
        shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        shutil.rmtree(folder, ignore_errors=True)
        lock.unlink(missing_ok=True)
    finally:
        os.close(opened)


def _new(root: Path) -> Path:
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    return root / FOLDER / os.urandom(8).hex()
