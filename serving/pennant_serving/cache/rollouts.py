"""What the first pod of a rollout ended with, for the next pods, until the operator pins it.

Its name is a hash over whose rollout it is and of what (`CacheSettings.rollout`), so nobody takes
what another object, registry or revision came to.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path

from pennant_serving.cache import entries
from pennant_serving.cache.settings import CacheSettings

FOLDER = "rollouts"
DAYS = 7
"""After which it goes: digests are pinned when traffic moves."""


def recall(cache: CacheSettings) -> dict[str, str]:
    """Names of entries by `bundle` and `environment`; empty where nothing is remembered."""
    if not cache.rollout:
        return {}
    try:
        content = json.loads(_path(cache).read_bytes())
        names = {str(key): str(value) for key, value in content.items()}
    except (AttributeError, FileNotFoundError, RecursionError, ValueError):
        return {}
    return {key: value for key, value in names.items() if entries.NAME.fullmatch(value)}


def remember(cache: CacheSettings, folder: Path, names: dict[str, str]) -> None:
    """At once or not at all, by way of a folder in the cache. An environment is one bundle's."""
    if not cache.rollout:
        return
    before = recall(cache)
    if before.get("bundle") == names["bundle"]:
        names = before | names
    unfinished = folder / "rollout.json"
    unfinished.write_text(json.dumps(names))
    _path(cache).parent.mkdir(exist_ok=True)
    unfinished.replace(_path(cache))


def forget_old(root: Path) -> None:
    """Of rollouts that ended long ago."""
    oldest = time.time() - DAYS * 86400
    for path in (root / FOLDER).glob("*.json"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                path.unlink()


def _path(cache: CacheSettings) -> Path:
    return cache.path / FOLDER / f"{cache.rollout}.json"
