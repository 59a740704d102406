"""The bundle on the volume: is it the one this pod is for, and what does it say about itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pennant_serving.bundle import manifest
from pennant_serving.bundle.manifest import Manifest
from pennant_serving.bundle.mlmodel import MLmodel, read_mlmodel
from pennant_serving.failures import PodError, Reason


@dataclass(frozen=True)
class Bundle:
    """A bundle that `fetch` verified."""

    path: Path
    """The folder that holds it, also when it is one file."""
    mlmodel: MLmodel | None
    """None when the bundle is not an MLflow model."""


def open_bundle(folder: Path, model: str, version: str) -> Bundle:
    """Raises PodError when the volume holds another model or version, or none."""
    path = manifest.manifest_path(folder)
    present = manifest.read(path)
    if present is None:
        raise PodError(
            Reason.LOAD_FAILED,
            f"{path} is missing or of another format: fetch did not finish, or is of another"
            " release than serve",
        )
    _check_identity(present, model, version)
    return Bundle(folder, read_mlmodel(folder))


def _check_identity(present: Manifest, model: str, version: str) -> None:
    if (present.model, present.version) != (model, version):
        raise PodError(
            Reason.DIGEST_MISMATCH,
            f"the volume holds version {present.version} of {present.model}, but this pod is for"
            f" version {version} of {model}",
        )
