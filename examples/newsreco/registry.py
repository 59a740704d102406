"""The registry as newsreco uses it: pennant_registry with this model's name and alias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pennant_registry
from newsreco.bundle import FILE, Bundle
from pennant_registry import Gates, MetricMin, Move

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


def rollback(name: str = REGISTERED_NAME, alias: str = ALIAS) -> Move:
    """Points the alias back at the version that held it before."""
    return pennant_registry.rollback(name, alias)


def load_production(name: str = REGISTERED_NAME, alias: str = ALIAS) -> Bundle | None:
    """Recommender and ranker of the version that holds the alias, or None when there is none."""
    return cast("Bundle | None", pennant_registry.load_production(name, alias))
