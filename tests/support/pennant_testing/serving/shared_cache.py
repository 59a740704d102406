"""A cache that is looked at all the time: what is published is whole and stays as it is, what is in
use or was used lately stays, and the bound holds."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

from pennant_registry import digest
from pennant_serving.cache import entries
from pennant_serving.cache.eviction import LATELY_SECONDS


def write_source(source: int, folder: Path, requirements: str = "") -> None:
    """A bundle in a claim; each has another size."""
    bundle = folder / "claim" / str(source)
    bundle.mkdir(parents=True, exist_ok=True)
    (bundle / "model.pkl").write_bytes(str(source).encode() * (4096 * (source + 1)))
    if requirements:
        (bundle / "requirements.txt").write_text(requirements)


def digest_of(source: int, folder: Path) -> str:
    return digest.of_folder(folder / "claim" / str(source))


def entry_bytes(source: int) -> int:
    """That the entry of such a bundle takes: its file, its record and two folders."""
    return (source + 4) * entries.BLOCK_BYTES


class SharedCache:
    """The one at a path, and what was wrong with it at any time."""

    def __init__(self, path: Path, bound: int) -> None:
        self.wrong: list[str] = []
        self._path = path
        self._bound = bound
        self._seen: set[tuple[str, int]] = set()
        self._to_stay: set[tuple[str, int]] = set()
        self._damaged: set[tuple[str, int]] = set()
        self._in_use: list[int] = []

    def need(self, condition: bool, otherwise: str) -> None:
        if not condition and otherwise not in self.wrong:
            self.wrong.append(otherwise)

    def age(self, name: str, in_use: bool, damaged: bool) -> None:
        """An entry was used last long ago, or is still; somebody may have written to it."""
        folder = self._path / "bundles" / name
        if not folder.is_dir():
            return
        if damaged:
            (folder / "files" / "model.pkl").write_bytes(b"damaged")
            self._damaged.add(_identity(folder))
        long_ago = time.time() - 2 * LATELY_SECONDS
        os.utime(folder / "record.json", (long_ago, long_ago))
        if in_use:
            opened = os.open(folder / "record.json", os.O_RDONLY)
            fcntl.flock(opened, fcntl.LOCK_SH)
            self._in_use.append(opened)
            self._to_stay.add(_identity(folder))

    def look(self) -> None:
        """At all that is published now."""
        present = {}
        for kind in entries.KINDS:
            for folder in (self._path / kind).glob("*"):
                present[_identity(folder)] = folder
        for gone in self._to_stay - present.keys():
            self.need(False, f"{gone[0][:8]} is gone, and was in use or used lately")
        total = sum(entries.size(folder) for folder in present.values())
        self.need(total <= self._bound, f"{total} bytes are published, more than {self._bound}")
        for identity, folder in present.items():
            if identity not in self._seen | self._damaged:
                self.need(_is_whole(folder), f"{folder.parent.name} {folder.name[:8]} is not whole")
            self._seen.add(identity)
            used = (folder / "record.json").stat().st_mtime
            if time.time() - used < LATELY_SECONDS / 2 and identity not in self._damaged:
                self._to_stay.add(identity)

    def close(self) -> None:
        """At the end nothing of all that was ever seen has changed."""
        for kind in entries.KINDS:
            for folder in (self._path / kind).glob("*"):
                is_sound = _identity(folder) in self._damaged or _is_whole(folder)
                self.need(is_sound, f"{folder.name[:8]} is not whole any more")
        for opened in self._in_use:
            os.close(opened)


def _identity(folder: Path) -> tuple[str, int]:
    return folder.name, folder.stat().st_ino


def _is_whole(folder: Path) -> bool:
    record: dict[str, Any] = json.loads((folder / "record.json").read_text())
    packages = folder.parent.name == "environments"  # which are called by their wheels
    expected = record["content"]["files"] if packages else folder.name
    return digest.of_folder(folder / "files") == expected
