"""Removing what nobody uses; whoever uses something has a lock on it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from pennant_serving.cache import entries, eviction, incoming, locks


def remove(root: Path, folder: Path, *, now: float | None = None) -> bool:
    """Remove an entry; False where somebody uses it or, by the time that it is, may be about to."""
    return _remove(root, folder, folder / entries.RECORD, now)


def remove_spare(root: Path, folder: Path, lock: Path) -> bool:
    """The same of what has its lock elsewhere, however lately it was used."""
    return _remove(root, folder, lock, None)


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
        with suppress(BlockingIOError, FileNotFoundError, PermissionError):
            opened = locks.acquire(path, locks.EXCLUSIVE)
            try:
                path.unlink(missing_ok=True)
            finally:
                os.close(opened)


def _remove(root: Path, folder: Path, lock: Path, now: float | None) -> bool:
    try:
        opened = locks.acquire(lock, locks.EXCLUSIVE)
    except FileNotFoundError:  # nobody can use what has no lock
        incoming.delete(root, folder)
        return True
    except (BlockingIOError, PermissionError):
        return False
    try:
        if now is not None and eviction.lately(os.fstat(opened).st_mtime, now):
            return False
        incoming.delete(root, folder)
        return True
    finally:
        os.close(opened)
