"""The registry, and the bundles that came from it: each in a folder, as a pod's volume has it."""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pennant_cli.serve.steps import Revision
from pennant_cli.serve.target import Target
from pennant_registry import client as mlflow_client
from pennant_registry import digest, versions
from pennant_registry.production import download_verified
from pennant_serving.bundle import manifest
from pennant_serving.bundle.manifest import Manifest

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from pennant_registry.versions import Version


@dataclass(frozen=True)
class FetchedBundle:
    """A bundle that is verified, and what lies beside it."""

    revision: Revision
    folder: Path

    @property
    def path(self) -> Path:
        """The folder that holds it, also when it is one file."""
        return self.folder / "bundle"

    @property
    def log(self) -> Path:
        """What its server prints."""
        return self.folder / "log"

    @property
    def termination_log(self) -> Path:
        """Where its server says why it gave up."""
        return self.folder / "termination-log"


class Bundles:
    """Asked from threads, one at a time: MLflow's time-outs are the process's own."""

    def __init__(self, target: Target, folder: Path) -> None:
        self._target = target
        self._folder = folder
        self._client: MlflowClient | None = None
        self._lock = threading.Lock()

    def desired(self) -> Revision | None:
        """What the target is; None where the alias is not set. Raises RegistryError."""
        with self._lock:
            version = self._desired()
        return None if version is None else Revision(version.version, version.created)

    def fetch(self, revision: Revision) -> FetchedBundle:
        """Its bundle, downloaded unless it is here. Raises RegistryError."""
        bundle = FetchedBundle(revision, self._place(revision))
        with self._lock:
            if not manifest.manifest_path(bundle.path).exists():
                self._download(bundle)
        return bundle

    def discard(self, revision: Revision) -> None:
        """Remove a bundle that nobody serves any more."""
        shutil.rmtree(self._place(revision), ignore_errors=True)

    def _place(self, revision: Revision) -> Path:
        stamp = int(revision.created.timestamp() * 1000) if revision.created else 0
        return self._folder / f"{revision}-{stamp}"

    def _connected(self) -> MlflowClient:
        if self._client is None:
            # A line of its own for each file, in between what is said here.
            os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # noqa: TID251
            self._client = mlflow_client.connect()
        return self._client

    def _desired(self) -> Version | None:
        model, alias, number = self._target.model, self._target.alias, self._target.version
        if alias is not None:
            return versions.of_alias(self._connected(), model, alias)
        assert number is not None  # one of the two is there
        return versions.get(self._connected(), model, number)

    def _download(self, bundle: FetchedBundle) -> None:
        version = versions.get(self._connected(), self._target.model, bundle.revision.number)
        shutil.rmtree(bundle.folder, ignore_errors=True)  # what a cut-off download left
        incoming = bundle.folder / "incoming"
        incoming.mkdir(parents=True)
        came = download_verified(self._connected(), version, incoming)
        is_folder = came.is_dir()
        if is_folder:
            for file in digest.left_out(came):
                file.unlink()
            came.rename(bundle.path)
        else:
            bundle.path.mkdir()
            came.rename(bundle.path / came.name)
        files = [path for path in bundle.path.rglob("*") if path.is_file()]
        written = Manifest(
            model=version.name,
            version=str(version.version),
            source=version.source,
            digest=digest.of_path(bundle.path if is_folder else files[0]),
            kind="folder" if is_folder else "file",
            files=len(files),
            bytes=sum(path.stat().st_size for path in files),
        )
        manifest.write(written, manifest.manifest_path(bundle.path))
