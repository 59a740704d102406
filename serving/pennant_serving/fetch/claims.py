"""Copying from a PersistentVolumeClaim that holds the server's artifacts, mounted read-only.

Others write to it meanwhile, so nothing is looked at by its path and opened by it later: each name
is opened in the folder that is open already, without following a link, and what is copied is what
was looked at.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from urllib.parse import urlsplit

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch.settings import FetchSettings

SCHEME = "pvc"
CHUNK_BYTES = 1 << 20
INSPECT_FLAGS = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
"""Neither follows a link nor opens what it finds: a pipe would wait, a device would act."""


def copy(settings: FetchSettings, folder: Path) -> Path:
    """Copy a file or a folder; the folder, or the one file in it. Raises PodError."""
    source, mounted = settings.source, settings.artifacts_path
    names = [name for name in urlsplit(source).path.split("/") if name]
    if not mounted.is_dir():
        raise PodError(Reason.DOWNLOAD_FAILED, f"{source}: {mounted} is not mounted")
    try:
        with _opened(mounted, names) as opened:
            _check(opened)
            if not _is_folder(opened):
                _copy_file(opened, folder / names[-1])
                return folder / names[-1]
            _copy_folder(opened, folder)
    except _Missing as error:
        raise PodError(Reason.BUNDLE_MISSING, f"there is nothing at {source}") from error
    except _Changed as error:
        problem = f"{source} was changed while it was copied ({error})"
        raise PodError(Reason.DOWNLOAD_FAILED, problem) from error
    except _Refused as error:
        raise PodError(Reason.DOWNLOAD_FAILED, f"{source} {error}") from error
    return folder


class _Missing(Exception):  # noqa: N818 - a finding
    """There is nothing, or a folder without a file."""


class _Changed(Exception):  # noqa: N818 - a finding
    """Somebody writes to what is copied."""


class _Refused(Exception):  # noqa: N818 - a finding
    """What it holds is not what was registered: a link could lead out of the volume."""


@contextmanager
def _opened(mounted: Path, names: list[str]) -> Iterator[int]:
    """The last of these names, each in the one before it, opened to look at."""
    if ".." in names:
        raise _Refused("goes up (..)")
    opened = [os.open(mounted, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)]
    try:
        for name in names:
            if not _is_folder(opened[-1]):
                raise _Missing
            opened.append(_look(opened[-1], name, _Missing))
        yield opened[-1]
    finally:
        for each in opened:
            os.close(each)


def _look(folder: int, name: str, gone: type[Exception]) -> int:
    try:
        with _reading():
            fd = os.open(name, INSPECT_FLAGS, dir_fd=folder)
    except _Refused as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise gone(name) from error
        raise
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return fd
    os.close(fd)
    kind = "a symbolic link" if stat.S_ISLNK(mode) else "what is neither a file nor a folder"
    raise _Refused(f"holds {kind} ({name})")


def _check(fd: int) -> None:
    """Refuses all of it before any of it is copied."""
    if _is_folder(fd) and not _count(fd):
        raise _Missing


def _count(folder: int) -> int:
    files = 0
    for _, fd in _children(folder):
        files += _count(fd) if _is_folder(fd) else 1
    return files


def _copy_folder(source: int, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for name, fd in _children(source):
        if _is_folder(fd):
            _copy_folder(fd, target / name)
        else:
            _copy_file(fd, target / name)


def _children(folder: int) -> Iterator[tuple[str, int]]:
    """What lies in a folder, each opened to look at until the next one is asked for."""
    with _reading():
        names = sorted(os.listdir(_path(folder)))  # noqa: PTH208 - of what is open
    for name in names:
        fd = _look(folder, name, _Changed)
        try:
            yield name, fd
        finally:
            os.close(fd)


def _copy_file(fd: int, target: Path) -> None:
    with _reading():
        source = _path(fd).open("rb", buffering=0)
    with source, target.open("wb") as copied:
        before = os.fstat(source.fileno())
        for chunk in _chunks(source, before.st_size + 1):
            copied.write(chunk)
        after, size = os.fstat(source.fileno()), copied.tell()
    if (size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise _Changed(f"{target.name}: {size} bytes came of {before.st_size}")


def _chunks(source: FileIO, most: int) -> Iterator[bytes]:
    """All there is, but of a file that goes on growing no more than `most` bytes."""
    while most:
        with _reading():
            chunk = source.read(min(CHUNK_BYTES, most))
        if not chunk:
            return
        most -= len(chunk)
        yield chunk


@contextmanager
def _reading() -> Iterator[None]:
    """The errors inside are those of the claim, and not of the volume that is written to."""
    try:
        yield
    except OSError as error:
        raise _Refused(f"cannot be read: {error}") from error


def _is_folder(fd: int) -> bool:
    return stat.S_ISDIR(os.fstat(fd).st_mode)


def _path(fd: int) -> Path:
    """By which what was only looked at is read: it is the very same."""
    return Path(f"/proc/self/fd/{fd}")
