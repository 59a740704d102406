"""Publishing: room within the bound, then one rename. One process after the other does it, or two
would take the same room."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any

from pennant_serving.cache import entries, eviction, incoming, locks, removing, rollouts, wheels
from pennant_serving.cache.eviction import Stored
from pennant_serving.cache.settings import CacheSettings

ATTEMPTS = 3
"""To make room, where what was to go is used meanwhile."""


class Publication(Enum):
    """What came of it."""

    PUBLISHED = "it is an entry"
    THERE = "another has published it"
    NO_ROOM = "it has no room within maxSize, which is {} bytes"


def publish(
    cache: CacheSettings, made: Path, kind: str, name: str, recorded: dict[str, Any]
) -> Publication:
    """Make an entry of a folder in `incoming` that has its files. Raises OSError."""
    target = entries.path_of(cache.path, kind, name)
    taken = entries.write_record(made, recorded)
    lock = cache.path / "locks" / "publishing.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    opened = locks.wait(lock, locks.EXCLUSIVE, cache.wait, create=True)
    try:
        if (target / entries.RECORD).exists():
            return Publication.THERE
        _clear(cache.path)
        if target.exists():  # what nobody published
            incoming.delete(incoming.move_away(cache.path, target))
        os.utime(opened)
        if not _make_room(cache, taken, os.fstat(opened).st_mtime):  # by the volume's own clock
            return Publication.NO_ROOM
        target.parent.mkdir(exist_ok=True)
        os.utime(made / entries.RECORD)
        return _rename(made, target)
    finally:
        os.close(opened)


def _rename(made: Path, target: Path) -> Publication:
    try:
        made.rename(target)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):  # who did not get the lock
            return Publication.THERE
        raise
    return Publication.PUBLISHED


def _clear(root: Path) -> None:
    """What killed processes left, and what nobody will ask for."""
    incoming.sweep(root)
    removing.sweep_locks(root / "locks")
    rollouts.forget_old(root)


def _make_room(cache: CacheSettings, need: int, now: float) -> bool:
    """Whether so many bytes fit, after what must go for them went."""
    for _ in range(ATTEMPTS):
        room = eviction.room_for(need, _stored(cache.path), cache.size, now)
        if all(_evict(cache.path, each, now) for each in room.evicted):
            return room.fits
    return False


def _evict(root: Path, each: Stored, now: float) -> bool:
    return wheels.remove(root) if each.spare else removing.evict(root, each.path, now)


def _stored(root: Path) -> Iterator[Stored]:
    """All that counts."""
    yield wheels.stored(root)
    for kind in entries.KINDS:
        for record in (root / kind).glob(f"*/{entries.RECORD}"):
            with suppress(FileNotFoundError):  # it was damaged, and somebody removes it
                used = record.stat().st_mtime
                in_use = removing.is_in_use(record)
                yield Stored(record.parent, entries.size(record.parent), used, in_use)
