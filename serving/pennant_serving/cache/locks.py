"""Locks on files (flock): they end with their processes, whatever becomes of those.

Whoever removes a file has its lock. So who has got one looks whether the path still is that file.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHARED, EXCLUSIVE = fcntl.LOCK_SH, fcntl.LOCK_EX
POLL_SECONDS = 0.05


def acquire(path: Path, kind: int, *, create: bool = False) -> int:
    """A descriptor that has the lock until it is closed.

    Raises BlockingIOError where somebody else has it, FileNotFoundError where there is no such
    file, and OSError of another kind where that file system has no locks.
    """
    # A file that is only read may lie on a read-only volume; NFS locks for writing what is open so.
    flags = os.O_RDWR | os.O_CREAT if create else os.O_RDONLY if kind == SHARED else os.O_RDWR
    while True:
        opened = os.open(path, flags | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(opened, kind | fcntl.LOCK_NB)
            if _is_at(opened, path):
                return opened
        except BaseException:
            os.close(opened)
            raise
        os.close(opened)


def wait(path: Path, kind: int, seconds: float, *, create: bool = False) -> int:
    """The same, when another has left it. Raises BlockingIOError after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return acquire(path, kind, create=create)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(POLL_SECONDS)


@contextmanager
def temporary(path: Path, seconds: float) -> Iterator[bool]:
    """An exclusive lock whose file goes with it; False where it could not be had in time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        opened = wait(path, EXCLUSIVE, seconds, create=True)
    except BlockingIOError:
        yield False
        return
    try:
        yield True
    finally:
        path.unlink(missing_ok=True)
        os.close(opened)


def _is_at(opened: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(opened), path.stat())
    except FileNotFoundError:
        return False
