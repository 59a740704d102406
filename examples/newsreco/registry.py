"""The registry as newsreco uses it: pennant_registry with this model's name and alias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import pennant_registry
from newsreco.bundle import FILE, Bundle
from pennant_registry import Gates, Hold, MetricMin, Move

REGISTERED_NAME = "news-recommender"
ALIAS = "production"


def register(
    run_id: str,
    artifact_file: str = FILE,
    name: str = REGISTERED_NAME,
    tags: Mapping[str, str] | None = None,
) -> int:
    """A new version from a run's artifact; its number."""
    return pennant_registry.register(run_id, artifact_file, name, tags)


def promote(
    version: int | str,
    name: str = REGISTERED_NAME,
    alias: str = ALIAS,
    gates: Gates | Mapping[str, Any] | Sequence[MetricMin] = (),
    override: str | None = None,
) -> Move:
    """Points the alias at the version; with one that held it before this is a rollback."""
    return pennant_registry.promote(version, name, alias, gates, override=override)


def rollback(name: str = REGISTERED_NAME, alias: str = ALIAS, reason: str = "rolled back") -> Move:
    """Points the alias back at the version that held it before; the one it leaves is on hold."""
    return pennant_registry.rollback(name, alias, reason=reason)


def hold(
    reason: str,
    until: datetime | None = None,
    name: str = REGISTERED_NAME,
    alias: str = ALIAS,
    version: int | None = None,
) -> Hold:
    """Nothing new is promoted or rolled out, or not this version, until then or a release."""
    return pennant_registry.hold(name, alias, reason, until, version=version)


def release(name: str = REGISTERED_NAME, alias: str = ALIAS, version: int | None = None) -> Hold:
    """Ends the hold on the alias, or on this version."""
    return pennant_registry.release(name, alias, version=version)


def load_production(name: str = REGISTERED_NAME, alias: str = ALIAS) -> Bundle | None:
    """Recommender and ranker of the version that holds the alias, or None when there is none."""
    return cast("Bundle | None", pennant_registry.load_production(name, alias))
