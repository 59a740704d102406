"""The digest of a bundle: one sha256 that a file and a folder both have.

Training writes it as the version tag `pennant.sha256`, `fetch` verifies a download against it.
MLflow itself keeps no checksum anywhere in its download path. Standard library only: everybody
imports this.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

# MLflow writes this file into the folder that it downloads to: it is not part of what was logged.
# Only there; below, a file of this name is the model's own.
LEFT_OUT = frozenset({"registered_model_meta"})
LINES = re.compile(rb"(?:[^\0]+\0[0-9a-f]{64}\n)+")
LONGEST_LINE = 8192
"""Bytes: a path has 4096 at most."""


def of_path(path: Path) -> str:
    """Hex sha256 of a bundle: a file's bytes, or a folder's sorted paths and file digests.

    Raises FileNotFoundError when there is neither a file nor a folder at `path`, and ValueError
    for a folder that holds what cannot be digested, or a file that holds what a folder is digested
    as: the two would have one digest.
    """
    if path.is_dir():
        return of_folder(path)
    if _reads_as_folder(path):
        raise ValueError(f"{path} holds the lines that a folder is digested as")
    return of_file(path)


def of_file(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_folder(folder: Path) -> str:
    """Hex sha256 over one line `path NUL sha256` for each file, sorted by the path's bytes.

    Neither times nor permissions nor empty folders count. Raises ValueError for a link to a folder,
    a pipe, a device, a link to nothing: what is left out in silence could be swapped in silence.
    """
    whole = hashlib.sha256()
    for name, path in sorted(_files(folder)):
        whole.update(name + b"\0" + of_file(path).encode() + b"\n")
    return whole.hexdigest()


def left_out(folder: Path) -> list[Path]:
    """The files in a folder that do not count: whoever keeps the folder takes them away."""
    return [path for name in sorted(LEFT_OUT) if (path := folder / name).is_file()]


def _reads_as_folder(path: Path) -> bool:
    with path.open("rb") as file:
        beginning = file.read(LONGEST_LINE)
        if not LINES.match(beginning):
            return False
        return LINES.fullmatch(beginning + file.read()) is not None


def _files(folder: Path) -> list[tuple[bytes, Path]]:
    ignored, files = left_out(folder), []
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            continue
        if not path.is_file():
            raise ValueError(f"{path} is neither a file nor a folder: it cannot be digested")
        if path not in ignored:
            name = path.relative_to(folder).as_posix()
            files.append((name.encode("utf-8", "surrogateescape"), path))
    return files
