"""The record beside an installed environment: written last, so what it names is whole.

Only the standard library is imported here and in `overlay`: what comes of the environment's own
packages is imported after they were put in front.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FORMAT = 1
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The Python that runs, as environments name it."""


@dataclass(frozen=True)
class EnvironmentRecord:
    """One complete environment on the volume."""

    digest: str
    """Hex; see `pins`."""
    python: str
    """Major and minor of the Python that it is for."""
    packages: int
    bytes: int
    """Of its files on the disk."""
    wheels: tuple[str, ...]
    """Sorted lines `name==version sha256`: what the digest is over."""
    files: str
    """Hex; of its folder, as of a bundle's: see `pennant_registry.digest`."""
    format: int = FORMAT


def environment_path(model_path: Path) -> Path:
    """The folder of the packages, beside the bundle's."""
    return model_path.parent / "environment"


def record_path(model_path: Path) -> Path:
    """Beside that folder, so that it is no part of what is imported from."""
    return model_path.parent / "environment.json"


def read(path: Path) -> EnvironmentRecord | None:
    """The record, or None when there is none that this release understands."""
    try:
        return of_json(json.loads(path.read_bytes()))
    except (FileNotFoundError, RecursionError, ValueError):
        return None


def of_json(content: Any) -> EnvironmentRecord | None:
    """The same of what was read."""
    try:
        record = EnvironmentRecord(**{**content, "wheels": tuple(content["wheels"])})
    except (KeyError, TypeError):
        return None
    return record if record.format == FORMAT else None


def write(record: EnvironmentRecord, path: Path) -> None:
    """Written at once or not at all."""
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(json.dumps(asdict(record)))
    unfinished.replace(path)
