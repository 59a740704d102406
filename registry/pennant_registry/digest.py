"""The digest of a bundle: one sha256 that a file and a folder both have.

Training writes it as the version tag `pennant.sha256`, `fetch` verifies a download against it.
MLflow itself keeps no checksum anywhere in its download path. Standard library only: everybody
imports this.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

# MLflow writes this file into a folder while downloading it, so it is not part of what was logged.
LEFT_OUT = frozenset({"registered_model_meta"})


def of_path(path: Path) -> str:
    """Hex sha256 of a bundle: a file's bytes, or a folder's sorted paths and file digests.

    Raises FileNotFoundError when there is neither a file nor a folder at `path`.
    """
    return of_folder(path) if path.is_dir() else of_file(path)


def of_file(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_folder(folder: Path) -> str:
    """Hex sha256 over one line `path NUL sha256` for each file, sorted by the path's bytes."""
    whole = hashlib.sha256()
    for name, path in sorted(_files(folder)):
        whole.update(name + b"\0" + of_file(path).encode() + b"\n")
    return whole.hexdigest()


def _files(folder: Path) -> list[tuple[bytes, Path]]:
    return [
        (path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape"), path)
        for path in folder.rglob("*")
        if path.is_file() and path.name not in LEFT_OUT
    ]
