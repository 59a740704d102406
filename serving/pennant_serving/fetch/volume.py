"""The volume: is the wanted bundle there already, and putting a new one in its place."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pennant_registry import digest
from pennant_serving.bundle.manifest import Manifest, manifest_path, read, write
from pennant_serving.bundle.staging import clear
from pennant_serving.fetch.settings import Wanted


def verified(wanted: Wanted, model_path: Path) -> Manifest | None:
    """The manifest of the wanted bundle when its bytes still verify, else None."""
    manifest = recorded(wanted, model_path)
    # What a link leads to is not this pod's alone: the cache has its own way to verify that.
    if manifest is None or not model_path.is_dir() or model_path.is_symlink():
        return None
    bundle = bundle_path(manifest, model_path)
    return manifest if bundle and _digest(bundle) == manifest.digest else None


def recorded(wanted: Wanted, model_path: Path) -> Manifest | None:
    """What the volume says that it holds, when that is what is wanted."""
    manifest = read(manifest_path(model_path))
    if manifest is None or Wanted(manifest.model, manifest.version, manifest.source) != wanted:
        return None
    return manifest


def _digest(bundle: Path) -> str | None:
    """None for what no fetch leaves behind."""
    try:
        strip(bundle)
        return digest.of_path(bundle)
    except ValueError:
        return None


def strip(bundle: Path) -> None:
    """Take away what the digest does not count, so that no loader can go by it."""
    if not bundle.is_dir():
        return
    for path in digest.left_out(bundle):
        path.unlink()
    for path in sorted(bundle.rglob("*"), reverse=True):  # what is in a folder comes before it
        if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()


def bundle_path(manifest: Manifest, model_path: Path) -> Path | None:
    """The bundle itself: the folder, or the one file in it."""
    if manifest.kind == "folder":
        return model_path
    files = list(model_path.iterdir())
    return files[0] if len(files) == 1 else None


@contextmanager
def alone(model_path: Path) -> Iterator[None]:
    """One after the other: two at a time would digest each other's half of a file."""
    folder = model_path.parent
    folder.mkdir(parents=True, exist_ok=True)
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)  # it ends with the process, whatever becomes of that
        yield
    finally:
        os.close(opened)


def publish(folder: Path, manifest: Manifest, model_path: Path) -> None:
    """Move a staged bundle to its place."""
    _put(folder.rename, manifest, model_path)


def link(files: Path, manifest: Manifest, model_path: Path) -> None:
    """Put a link to a bundle in its place."""
    _put(lambda place: place.symlink_to(files), manifest, model_path)


def _put(into: Callable[[Path], object], manifest: Manifest, model_path: Path) -> None:
    """A crash between the steps leaves no manifest."""
    path = manifest_path(model_path)
    path.unlink(missing_ok=True)
    clear(model_path)
    into(model_path)
    write(manifest, path)
