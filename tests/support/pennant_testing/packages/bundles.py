"""Bundles that ask for packages, and the settings of a fetch that gets them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pennant_serving.environment.pins import decode
from pennant_serving.environment.providing import provide
from pennant_serving.environment.record import EnvironmentRecord
from pennant_serving.environment.report import report
from pennant_serving.environment.settings import (
    BundleEnvironment,
    PackageIndexes,
    PinnedEnvironment,
)
from pennant_serving.lifecycle.phases import Phases
from pennant_testing.packages.simple_index import PackageIndex


def bundle_asking(volume: Path, *lines: str, **files: str) -> Path:
    """The model path of a bundle whose requirements.txt has these lines."""
    folder = volume / "bundle"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in lines))
    for name, text in files.items():
        (folder / name.replace("_yaml", ".yaml")).write_text(text)
    return folder


def provided(
    model_path: Path,
    *indexes: PackageIndex | str,
    username: str | None = None,
    password: str | None = None,
    pinned: EnvironmentRecord | None = None,
    ca: Path | None = None,
    images: Mapping[str, str] | None = None,
) -> tuple[EnvironmentRecord, bool]:
    """What `fetch` makes of a verified bundle, and whether it was there already. Raises
    PodError."""
    urls = tuple(each if isinstance(each, str) else each.url for each in indexes)
    asked = PackageIndexes(urls, username, password, ca)
    known = _pinned(pinned) if pinned else None
    return provide(BundleEnvironment(asked, known, images or {}), model_path, Phases())


def _pinned(record: EnvironmentRecord) -> PinnedEnvironment:
    """As the operator hands on what a first pod reported."""
    reported = report(record)
    return PinnedEnvironment(reported["digest"], reported["python"], decode(reported["pins"]))
