"""Getting a source to a folder: by the registry's artifact proxy, or from where it lies itself."""

from __future__ import annotations

from pathlib import Path

from pennant_registry import sources
from pennant_serving.fetch import claims, objects, proxied, stores
from pennant_serving.fetch.settings import FetchSettings
from pennant_serving.lifecycle.phases import Phases


def to_folder(settings: FetchSettings, folder: Path, phases: Phases) -> Path:
    """Download into `folder`; the bundle is that folder, or the one file in it. Raises PodError."""
    path = sources.proxied_path(settings.source)
    if path is not None:
        return proxied.download(settings, path.rstrip("/"), folder, phases)
    with phases.phase("download"):
        return _directly(settings, folder)


def _directly(settings: FetchSettings, folder: Path) -> Path:
    scheme = settings.source.partition(":")[0]
    if scheme in objects.SCHEMES:
        return objects.download(settings, folder)
    if scheme == claims.SCHEME:
        return claims.copy(settings, folder)
    return stores.download(settings.source, folder)
