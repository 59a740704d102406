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
    """The folder, or the one file that the bundle is."""
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
    bundle = settings.model_path
    if found.kind == "file":
        (bundle,) = bundle.iterdir()
    return Bundle(bundle, read_mlmodel(bundle))


def _check_identity(found: Manifest, settings: Settings) -> None:
    if (found.model, found.version) != (settings.model, settings.version):
        raise PodError(
            Reason.DIGEST_MISMATCH,
            f"the volume holds version {found.version} of {found.model}, but this pod is for"
            f" version {settings.version} of {settings.model}",
        )
