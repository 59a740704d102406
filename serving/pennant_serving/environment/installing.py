"""An environment on the volume: installed beside its place, moved there, then recorded."""

from __future__ import annotations

import base64
import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from pennant_registry import digest
from pennant_serving.environment import pins
from pennant_serving.environment.locking import written
from pennant_serving.environment.record import (
    PYTHON,
    EnvironmentRecord,
    environment_path,
    read,
    record_path,
    write,
)
from pennant_serving.environment.removing import remove
from pennant_serving.environment.uv import Uv, UvFailed
from pennant_serving.environment.uv_errors import fault
from pennant_serving.environment.wheels import Wheel


def install(wheels: Iterable[Wheel], uv: Uv) -> Path:
    """These and nothing else, each by its whole hash; the folder, within that of uv. Raises
    PodError.

    Without byte code. To compile all of scikit-learn, pandas and MLflow takes 14 s of a processor,
    before the first start; a start without takes 2.5 s more of it where scikit-learn is
    served natively and 9 s through MLflow, and most pods start once. Where many
    start from one, in a cache, it is compiled (`compiling`).
    """
    target = uv.folder / "packages"
    lock = written(wheels, uv.folder / "pylock.install.toml")
    try:
        uv.run(
            "install",
            "--quiet",
            f"--requirements={lock.name}",
            f"--target={target}",
            "--no-deps",
            "--link-mode=hardlink",  # the cache goes, what it was linked to stays
            "--preview-features=pylock",
        )
    except UvFailed as error:
        raise fault(str(error)) from error
    return target


def describe(folder: Path, wheels: Iterable[Wheel]) -> EnvironmentRecord:
    """What was installed."""
    listed = [wheel.pin for wheel in wheels]
    return EnvironmentRecord(
        digest=pins.digest(listed),
        python=PYTHON,
        packages=len(listed),
        bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        wheels=tuple(sorted(f"{pin} {pin.sha256}" for pin in listed)),
        files=digest.of_folder(folder),
    )


def publish(folder: Path, record: EnvironmentRecord, model_path: Path) -> None:
    """Move an installed environment to its place. A crash between the steps leaves no record."""
    remove(model_path)
    folder.rename(environment_path(model_path))
    write(record, record_path(model_path))


def link(files: Path, record: EnvironmentRecord, model_path: Path) -> None:
    """Put a link to an environment in its place. A crash between the steps leaves no record."""
    remove(model_path)
    environment_path(model_path).symlink_to(files)
    write(record, record_path(model_path))


def verified(model_path: Path) -> EnvironmentRecord | None:
    """The record of an environment whose files are all as they were installed, else None.

    As they were, and not as the wheels list them: some list theirs wrongly, or have a file in
    common.
    """
    record, folder = read(record_path(model_path)), environment_path(model_path)
    if record is None or record.python != PYTHON or folder.is_symlink():
        return None
    try:
        return record if digest.of_folder(folder) == record.files else None
    except (OSError, ValueError):  # of what no installation leaves behind
        return None


def is_intact(folder: Path, packages: int) -> bool:
    """Whether so many packages are there, and each file as its package lists it."""
    lists = sorted(folder.glob("*.dist-info/RECORD"))
    if len(lists) != packages:
        return False
    claims: dict[str, set[str]] = defaultdict(set)
    for path in lists:
        with path.open(encoding="utf-8", newline="") as file:  # names may break lines for Python
            for name, hash_, _ in csv.reader(file):
                if hash_ and not name.endswith(".pyc"):  # derived, and not gone by if old
                    claims[name].add(hash_)  # several, where packages have a file in common
    return all(_is_one_of(folder / name, claims[name]) for name in claims)


def _is_one_of(path: Path, hashes: set[str]) -> bool:
    try:
        actual = hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return False
    return f"sha256={base64.urlsafe_b64encode(actual).rstrip(b'=').decode()}" in hashes
