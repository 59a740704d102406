"""The bundle on the volume: is it the one this pod is for, and what does it say about itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pennant_serving import manifest
from pennant_serving.failures import PodError, Reason
from pennant_serving.manifest import Manifest
from pennant_serving.mlmodel import MLmodel, read_mlmodel
from pennant_serving.settings import Settings


@dataclass(frozen=True)
class Bundle:
    """A bundle that `fetch` verified."""

    path: Path
    """The folder that holds it, also when it is one file."""
    mlmodel: MLmodel | None
    """None when the bundle is not an MLflow model."""


def open_bundle(settings: Settings) -> Bundle:
    """Raises PodError when the volume holds another model or version, or none."""
    path = manifest.manifest_path(settings.model_path)
    found = manifest.read(path)
    if found is None:
        raise PodError(
            Reason.LOAD_FAILED,
            f"{path} is missing or of another format: fetch did not finish, or is of another"
            " release than serve",
        )
    _check_identity(found, settings)
    return Bundle(settings.model_path, read_mlmodel(settings.model_path))


def _check_identity(found: Manifest, settings: Settings) -> None:
    if (found.model, found.version) != (settings.model, settings.version):
        raise PodError(
            Reason.DIGEST_MISMATCH,
            f"the volume holds version {found.version} of {found.model}, but this pod is for"
            f" version {settings.version} of {settings.model}",
        )
