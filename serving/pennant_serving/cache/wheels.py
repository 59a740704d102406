"""uv's own folder in the cache: wheels are downloaded once, and environments are linked from it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pennant_serving.cache import entries, locks, removing
from pennant_serving.cache.eviction import Stored


def folder_of(root: Path) -> Path:
    """What uv takes as its cache."""
    return root / "uv"


@contextmanager
def running(root: Path) -> Iterator[Path]:
    """The folder, which nobody removes meanwhile."""
    lock = _lock(root)
    lock.parent.mkdir(parents=True, exist_ok=True)
    opened = locks.wait(lock, locks.SHARED, entries.LOCK_SECONDS, create=True)
    try:
        yield folder_of(root)
    finally:
        os.close(opened)


def stored(root: Path) -> Stored:
    """As what goes first: files that an environment has, too, stay with that, and count there."""
    in_use = removing.is_in_use(_lock(root))
    size = entries.disk_bytes(folder_of(root), alone=True)
    return Stored(folder_of(root), size, 0.0, in_use, spare=True)


def remove(root: Path) -> bool:
    """All of it; False where uv runs."""
    return removing.remove_spare(root, folder_of(root), _lock(root))


def _lock(root: Path) -> Path:
    return root / "locks" / "uv.lock"
