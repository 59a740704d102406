"""An environment by way of the cache that the pods share."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pennant_registry import digest
from pennant_serving.bundle import manifest
from pennant_serving.bundle.staging import staging
from pennant_serving.cache import rollouts, wheels
from pennant_serving.cache.settings import CacheSettings
from pennant_serving.environment import installing, pins, record
from pennant_serving.environment.compiling import compile_all
from pennant_serving.environment.making import resolve
from pennant_serving.environment.record import PYTHON, EnvironmentRecord
from pennant_serving.environment.settings import BundleEnvironment
from pennant_serving.environment.uv import Uv
from pennant_serving.environment.wheels import Wheel
from pennant_serving.failures import PodError, Reason
from pennant_serving.lifecycle.phases import Phases


@dataclass
class CachedEnvironment:
    """The one of the bundle in this pod."""

    wanted: BundleEnvironment
    model_path: Path
    cache: CacheSettings
    phases: Phases
    kind: str = "environments"
    resolved: list[Wheel] = field(default_factory=list)
    """What it comes to, once that was asked."""

    def known(self) -> str | None:
        """By its pins; by what this pod had before; by what the rollout's first pod had."""
        if self.wanted.pinned is not None:
            pinned = self.wanted.pinned
            return _name(pinned.digest) if pinned.python == PYTHON else None
        before = record.read(record.record_path(self.model_path))
        if before is not None:
            return _name(before.digest)
        remembered = rollouts.recall(self.cache)
        return remembered.get("environment") if remembered.get("bundle") == self._bundle else None

    def verified(self, name: str, content: dict[str, Any], files: Path) -> EnvironmentRecord | None:
        """By every byte, the byte code that was made here among them."""
        with self.phases.phase("environment"):
            recorded = record.of_json(content)
            if recorded is None or name != _name(recorded.digest):
                return None
            if recorded.digest != pins.digest_of_lines(recorded.wheels):
                return None  # it is reported, and pinned
            return recorded if recorded.files == _digest(files) else None

    def follow(self, files: Path, value: EnvironmentRecord) -> None:
        """By a link, or a copy."""
        if self.cache.use == "copy":
            self.keep(files, value)
        else:
            installing.link(files, value, self.model_path)

    def settle(self, folder: Path) -> str | None:
        """By what it resolves to: a model that was trained anew asks for what it asked for before.

        Raises PodError.
        """
        with wheels.running(self.cache.path) as shared:
            uv = self._uv(folder.with_name("resolving"), shared)
            self.resolved = resolve(self.wanted, self.model_path, uv, self.phases)
        return _name(pins.digest(wheel.pin for wheel in self.resolved))

    def make(self, folder: Path) -> tuple[str, dict[str, Any], EnvironmentRecord]:
        """Of what was settled. Raises PodError."""
        packages = self._through_uvs_folder(folder.with_name("uv"))
        if packages is None:
            packages = self._installed(folder.with_name("uv-alone"), None)
            if self._is_intact(packages):  # so it was that folder: somebody damaged files there
                wheels.remove(self.cache.path)
        files = folder / "files"
        packages.replace(files)
        with self.phases.phase("compile"):
            compile_all(files)
        value = installing.describe(files, self.resolved)
        return _name(value.digest), asdict(value), value

    def _through_uvs_folder(self, folder: Path) -> Path | None:
        """None where it comes to nothing: by what is in that folder, or by the index. Raises
        PodError."""
        try:
            with wheels.running(self.cache.path) as shared:
                packages = self._installed(folder, shared)
        except PodError as error:
            if error.reason is not Reason.DOWNLOAD_FAILED:
                raise
            return None
        return packages if self._is_intact(packages) else None

    def _is_intact(self, packages: Path) -> bool:
        return installing.is_intact(packages, len(self.resolved))

    def _installed(self, folder: Path, cache: Path | None) -> Path:
        with self.phases.phase("install"):
            return installing.install(self.resolved, self._uv(folder, cache))

    def _uv(self, folder: Path, cache: Path | None) -> Uv:
        folder.mkdir()
        return Uv(self.wanted.indexes, folder, cache=cache)

    def keep(self, files: Path, value: EnvironmentRecord) -> None:
        """As without a cache."""
        with staging(self.model_path.parent / ".incoming-environment") as folder:
            shutil.copytree(files, folder, dirs_exist_ok=True)
            installing.publish(folder, value, self.model_path)

    def remembered(self, name: str) -> dict[str, str]:
        """For its rollout: of this bundle, or the next pod has another environment for another."""
        return {"bundle": self._bundle, "environment": name}

    @property
    def _bundle(self) -> str:
        present = manifest.read(manifest.manifest_path(self.model_path))
        return present.digest if present else ""


def _name(digest: str) -> str:
    """Packages without a compiled part have one digest for every Python, and byte code of each."""
    return f"{digest}-{PYTHON}"


def _digest(files: Path) -> str | None:
    """None for what no fetch publishes."""
    try:
        return digest.of_folder(files)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
