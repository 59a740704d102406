"""Removing what nobody uses; whoever uses something has a lock on it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pennant_serving.cache import entries, eviction, incoming, locks


def evict(root: Path, folder: Path, now: float) -> bool:
    """Remove an entry; False where somebody uses it or, by the time that it is, may be about to."""

    def may_go(record: os.stat_result) -> bool:
        return not eviction.lately(record.st_mtime, now)

    return _remove(root, folder, may_go)


def discard(root: Path, folder: Path, damaged: os.stat_result) -> bool:
    """Remove an entry with this record, unless another has its place by now, which may be in use;
    False where this one is."""

    def may_go(record: os.stat_result) -> bool:
        return os.path.samestat(record, damaged)

    return _remove(root, folder, may_go)


def remove_spare(root: Path, folder: Path, lock: Path) -> bool:
    """Remove what has its lock elsewhere; False where somebody uses it."""
    with locks.temporary(lock, 0) as had:
        away = incoming.move_away(root, folder) if had and folder.exists() else None
    if away is not None:
        incoming.delete(away)
    return had


def is_in_use(lock: Path) -> bool:
    """Whether somebody uses what this file is the lock of, or keeps it from us."""
    try:
        os.close(locks.acquire(lock, locks.EXCLUSIVE))
    except FileNotFoundError:
        return False
    except (BlockingIOError, PermissionError):
        return True
    return False


def sweep_locks(folder: Path) -> None:
    """Lock files whose owners were killed."""
    for path in folder.iterdir():
        with suppress(OSError):  # it has an owner, or is none of ours
            opened = locks.acquire(path, locks.EXCLUSIVE)
            try:
                path.unlink(missing_ok=True)
            finally:
                os.close(opened)


def _remove(root: Path, folder: Path, may_go: Callable[[os.stat_result], bool]) -> bool:
    try:
        opened = locks.acquire(folder / entries.RECORD, locks.EXCLUSIVE)
    except FileNotFoundError:  # another has removed it
        return True
    except (BlockingIOError, PermissionError):
        return False
    try:
        if not may_go(os.fstat(opened)):
            return False
        away = incoming.move_away(root, folder)
    finally:
        os.close(opened)
    incoming.delete(away)  # without the lock: it takes a while, and others may want the name
    return True
