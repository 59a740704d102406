"""What is in production, loaded: from the registry, or from the pod's own verified mount."""

from __future__ import annotations

import pickle
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pennant_registry import artifacts, digest, versions
from pennant_registry import client as mlflow_client
from pennant_registry.environment import Environment, ensure_home
from pennant_registry.errors import ArtifactMissingError, DigestMismatchError
from pennant_registry.pointers import pointer
from pennant_registry.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient

PICKLES = frozenset({".pkl", ".pickle"})


def resolve(name: str, alias: str | None = None, *, stage: str | None = None) -> Version | None:
    """The version that holds the alias, or the highest in the stage; None when there is none.

    Raises RegistryUnreachableError when the registry gives no answer: that is not None.
    """
    of = pointer(name, alias, stage)
    holders = of.holders(mlflow_client.connect(), name)
    return holders[0] if holders else None


def load_production(name: str, alias: str | None = None, *, stage: str | None = None) -> Any | None:
    """The bundle of the version that `resolve` finds, or None when nothing is promoted.

    A pickle comes unpickled, an MLflow model folder as its pyfunc model, anything else as the path
    of the file or folder. With PENNANT_MODEL_PATH set it is what that mount holds: no registry is
    asked. Raises RegistryUnreachableError, ArtifactMissingError, or DigestMismatchError when the
    bytes are not those that were registered. Unpickling runs what the pickle says: load only from a
    registry that you trust.
    """
    if mount := Environment.read().model_path:
        return load_bundle(_the_bundle_in(mount))
    version = resolve(name, alias, stage=stage)
    return None if version is None else load_version(version)


def load_version(version: Version) -> Any:
    """Downloads what the server says is the version's, verifies it and loads it."""
    folder = Path(tempfile.mkdtemp(prefix="pennant-bundle-"))
    keep = False
    try:
        bundle = download_verified(mlflow_client.connect(), version, folder)
        loaded = load_bundle(bundle)
        keep = bundle.suffix not in PICKLES  # a path is the caller's, and a lazy model reads on
    finally:
        if not keep:
            shutil.rmtree(folder)
    return loaded


def download_verified(client: MlflowClient, version: Version, folder: Path) -> Path:
    """What the server says is the version's, in `folder`; the file, or the folder, that came.

    Raises ArtifactMissingError, and DigestMismatchError where it is not what was registered.
    """
    bundle = artifacts.download(client, versions.download_uri(client, version), folder)
    if version.sha256 is not None and (actual := digest.of_path(bundle)) != version.sha256:
        raise DigestMismatchError(
            f"version {version.version} of {version.name} was registered with sha256 "
            f"{version.sha256}, and {version.source} now has {actual}: register the artifact anew"
        )
    return bundle


def load_bundle(path: Path) -> Any:
    """Loads a file or folder that is on this disk already."""
    if path.is_file() and path.suffix in PICKLES:
        with path.open("rb") as file:
            return pickle.load(file)  # noqa: S301 -- its digest was verified, its registry is trusted
    if (path / "MLmodel").is_file():
        ensure_home()
        import mlflow.pyfunc

        return mlflow.pyfunc.load_model(str(path))
    return path


def _the_bundle_in(mount: Path) -> Path:
    """A bundle that is one file is mounted as the only file of a folder."""
    inside = list(mount.iterdir()) if mount.is_dir() else []
    if not inside and not mount.is_file():
        raise ArtifactMissingError(
            f"PENNANT_MODEL_PATH is {mount}, and there is no bundle: mount it there, or unset the "
            "variable to load from the registry"
        )
    alone = len(inside) == 1 and inside[0].is_file() and inside[0].name != "MLmodel"
    return inside[0] if alone else mount
