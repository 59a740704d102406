"""An entry on the disk: whole from the moment it has its name, and never changed after that."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pennant_serving.cache import locks

KINDS = ("bundles", "environments")
RECORD, FILES = "record.json", "files"
FORMAT = 1
NAME = re.compile(r"[0-9a-f]{64}(-\d+\.\d+)?")
"""A digest; an environment's with the Python that it is for."""
BLOCK_BYTES = 4096
LOCK_SECONDS = 5.0
"""For who looks whether an entry may go: it has the lock for a moment."""


def path_of(root: Path, kind: str, name: str) -> Path:
    """Of the folder of an entry."""
    return root / kind / name


@contextmanager
def in_use(folder: Path) -> Iterator[int]:
    """Nobody removes it meanwhile. Raises FileNotFoundError where it is not there."""
    opened = locks.wait(folder / RECORD, locks.SHARED, LOCK_SECONDS)
    try:
        yield opened
    finally:
        os.close(opened)


def touch(opened: int) -> None:
    """It was used now. On a read-only volume nobody would go by it."""
    with suppress(OSError):
        os.utime(opened)


def content(folder: Path) -> dict[str, Any] | None:
    """What its maker recorded of it; None where this release does not understand that."""
    record = _record(folder)
    value = record.get("content") if record.get("format") == FORMAT else None
    return value if isinstance(value, dict) else None


def size(folder: Path) -> int:
    """Bytes that it takes, by its record where that tells them."""
    value = _record(folder).get("bytes")
    return value if isinstance(value, int) else disk_bytes(folder)


def write_record(folder: Path, recorded: dict[str, Any]) -> int:
    """Of what is about to be published; the bytes that it takes."""
    taken = disk_bytes(folder) + BLOCK_BYTES
    record = {"format": FORMAT, "bytes": taken, "content": recorded}
    (folder / RECORD).write_text(json.dumps(record))
    return taken


def disk_bytes(folder: Path, *, alone: bool = False) -> int:
    """By whole blocks; of files that have another name elsewhere only where they count twice."""
    total = 0
    for path, _, names in os.walk(folder):
        total += BLOCK_BYTES
        for name in names:
            with suppress(FileNotFoundError):  # uv moves its own about
                status = os.lstat(f"{path}/{name}")
                if not alone or status.st_nlink == 1:
                    total += -(-status.st_size // BLOCK_BYTES) * BLOCK_BYTES
    return total


def _record(folder: Path) -> dict[str, Any]:
    try:
        value = json.loads((folder / RECORD).read_bytes())
    except (FileNotFoundError, NotADirectoryError, RecursionError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
