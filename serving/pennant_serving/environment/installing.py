"""An environment on the volume: installed beside its place, moved there, then recorded."""

from __future__ import annotations

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
    served natively and 9 s through MLflow, and most pods start once.
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


def publish(folder: Path, wheels: Iterable[Wheel], model_path: Path) -> EnvironmentRecord:
    """Move an installed environment to its place. A crash between the steps leaves no record."""
    listed = [wheel.pin for wheel in wheels]
    record = EnvironmentRecord(
        digest=pins.digest(listed),
        python=PYTHON,
        packages=len(listed),
        bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        wheels=tuple(sorted(f"{pin} {pin.sha256}" for pin in listed)),
        files=digest.of_folder(folder),
    )
    remove(model_path)
    folder.rename(environment_path(model_path))
    write(record, record_path(model_path))
    return record


def verified(model_path: Path) -> EnvironmentRecord | None:
    """The record of an environment whose files are all as they were installed, else None.

    As they were, and not as the wheels list them: some list theirs wrongly, or have a file in
    common.
    """
    record = read(record_path(model_path))
    if record is None or record.python != PYTHON:
        return None
    try:
        return record if digest.of_folder(environment_path(model_path)) == record.files else None
    except (OSError, ValueError):  # of what no installation leaves behind
        return None
