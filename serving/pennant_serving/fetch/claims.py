"""Copying from a PersistentVolumeClaim that holds the server's artifacts, mounted read-only."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import urlsplit

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch.settings import Settings

SCHEME = "pvc"


def copy(settings: Settings, folder: Path) -> Path:
    """Copy a file or a folder; the folder, or the one file in it. Raises PodError."""
    source, mounted = settings.source, settings.artifacts_path.resolve()
    path = mounted / urlsplit(source).path.strip("/")
    if not mounted.is_dir():
        raise PodError(Reason.DOWNLOAD_FAILED, f"{source}: {mounted} is not mounted")
    if not path.exists() or (path.is_dir() and not any(path.rglob("*"))):
        raise PodError(Reason.BUNDLE_MISSING, f"there is nothing at {source}")
    if path.resolve() != path or any(each.is_symlink() for each in path.rglob("*")):
        # It could lead out of the volume: what it names is not what was registered.
        raise PodError(Reason.DOWNLOAD_FAILED, f"{source} holds a symbolic link")
    if path.is_dir():
        shutil.copytree(path, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
        return folder
    return Path(shutil.copyfile(path, folder / path.name))
