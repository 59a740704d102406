"""Getting a source to a folder: by the registry's artifact proxy, or from a store of its own."""

from __future__ import annotations

from pathlib import Path

from pennant_serving.fetch import proxied, sources, stores
from pennant_serving.fetch.settings import Settings
from pennant_serving.phases import Phases


def to_folder(settings: Settings, folder: Path, phases: Phases) -> Path:
    """Download into `folder`; the bundle is that folder, or the one file in it. Raises PodError."""
    path = sources.proxied_path(settings.source)
    if path is None:
        with phases.phase("download"):
            return stores.download(settings.source, folder)
    return proxied.download(settings, path, folder, phases)
