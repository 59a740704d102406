"""A bundle by way of the cache that the pods share."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pennant_registry import digest
from pennant_serving.bundle.manifest import FORMAT, Manifest
from pennant_serving.bundle.staging import staging
from pennant_serving.cache import rollouts
from pennant_serving.cache.settings import CacheSettings
from pennant_serving.environment.removing import remove
from pennant_serving.fetch import download, volume
from pennant_serving.fetch.settings import FetchSettings
from pennant_serving.fetch.verifying import check_digest, describe
from pennant_serving.lifecycle.phases import Phases


@dataclass(frozen=True)
class CachedBundle:
    """The one that this pod wants."""

    settings: FetchSettings
    cache: CacheSettings
    phases: Phases
    kind: str = "bundles"

    def known(self) -> str | None:
        """By its tag or a pin; by what this pod had before; by what the rollout's first pod had."""
        if self.settings.expected_digests:
            return self.settings.expected_digests[0][1]
        before = volume.recorded(self.settings.wanted, self.settings.model_path)
        return before.digest if before else rollouts.recall(self.cache).get("bundle")

    def verified(self, name: str, content: dict[str, Any], files: Path) -> Manifest | None:
        """Raises PodError when it is whole, and not what was registered."""
        with self.phases.phase("verify"):
            manifest = _manifest(content)
            if manifest is None or not name == manifest.digest == _digest(manifest, files):
                return None
        check_digest(manifest.digest, self.settings)
        wanted = self.settings.wanted
        return replace(manifest, model=wanted.model, version=wanted.version, source=wanted.source)

    def follow(self, files: Path, value: Manifest) -> None:
        """By a link, or a copy."""
        if self.cache.use == "copy":
            self.keep(files, value)
        else:
            self._make_way(value)
            volume.link(files, value, self.settings.model_path)

    def settle(self, folder: Path) -> str | None:
        """Nobody tells the digest of what was not downloaded."""

    def make(self, folder: Path) -> tuple[str, dict[str, Any], Manifest]:
        """Raises PodError."""
        bundle = download.to_folder(self.settings, folder / "files", self.phases)
        with self.phases.phase("verify"):
            volume.strip(bundle)
            manifest = describe(self.settings, bundle)
        check_digest(manifest.digest, self.settings)
        return manifest.digest, asdict(manifest), manifest

    def keep(self, files: Path, value: Manifest) -> None:
        """As without a cache."""
        with staging(self.settings.model_path.parent / ".incoming") as folder:
            shutil.copytree(files, folder, dirs_exist_ok=True)
            self._make_way(value)
            volume.publish(folder, value, self.settings.model_path)

    def remembered(self, name: str) -> dict[str, str]:
        """For its rollout."""
        return {"bundle": name}

    def _make_way(self, value: Manifest) -> None:
        before = volume.recorded(self.settings.wanted, self.settings.model_path)
        if before is None or before.digest != value.digest:
            remove(self.settings.model_path)  # it was another bundle's


def _manifest(content: dict[str, Any]) -> Manifest | None:
    try:
        manifest = Manifest(**content)
    except TypeError:
        return None
    return manifest if manifest.format == FORMAT else None


def _digest(manifest: Manifest, files: Path) -> str | None:
    """None for what no fetch publishes."""
    try:
        bundle = volume.bundle_path(manifest, files)
        if bundle is None or (bundle.is_dir() and digest.left_out(bundle)):
            return None
        return digest.of_path(bundle)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
