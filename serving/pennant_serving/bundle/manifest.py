"""The manifest beside a bundle: what `fetch` put on the volume, and what `serve` finds there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """One complete, verified bundle."""

    model: str
    version: str
    source: str
    digest: str
    kind: str
    """"folder", or "file" when the bundle is one file."""
    files: int
    bytes: int
    format: int = FORMAT


def manifest_path(model_path: Path) -> Path:
    """The manifest lies beside the bundle's folder, so that it is no part of the bundle."""
    return model_path.parent / "manifest.json"


def read(path: Path) -> Manifest | None:
    """The manifest, or None when there is none that this release understands."""
    try:
        manifest = Manifest(**json.loads(path.read_bytes()))
    except (FileNotFoundError, RecursionError, TypeError, ValueError):
        return None
    return manifest if manifest.format == FORMAT else None


def write(manifest: Manifest, path: Path) -> None:
    """Written at once or not at all: a reader never sees half a manifest."""
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(json.dumps(asdict(manifest)))
    unfinished.replace(path)
