"""The record of an alias that MLflow does not keep: moves, as tags on versions.

A promotion is recorded on the version that gets the alias, a rollback on the version that loses it.
So rolling back leaves the older version's own record alone, and rolling back twice goes two back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pennant_registry import client as mlflow_client
from pennant_registry import names, versions
from pennant_registry.versions import Version


@dataclass(frozen=True, slots=True)
class Move:
    """The alias went from `previous` (None: not set, or not known) to `version`; `at` is in UTC."""

    version: int
    previous: int | None
    by: str
    at: datetime
    is_rollback: bool = False


def history(name: str, alias: str) -> list[Move]:
    """The recorded moves of an alias, newest first: each version's last promotion and rollback.

    A move that was made without this library left no record and is not here.
    """
    versions.check_names(name, alias)
    found = versions.of_model(mlflow_client.connect(), name)
    moves = [move for v in found for move in (promotion_of(v, alias), rollback_of(v, alias))]
    return sorted((move for move in moves if move), key=lambda move: move.at, reverse=True)


def promotion_of(version: Version, alias: str) -> Move | None:
    """The promotion that is recorded on this version."""
    at = version.tags.get(names.for_alias(names.TAG_PROMOTED_AT, alias))
    if at is None:
        return None
    before = version.tags.get(names.for_alias(names.TAG_PROMOTED_FROM, alias))
    return Move(
        version=version.version,
        previous=int(before) if before else None,
        by=version.tags.get(names.for_alias(names.TAG_PROMOTED_BY, alias), "unknown"),
        at=datetime.fromisoformat(at),
    )


def rollback_of(version: Version, alias: str) -> Move | None:
    """The rollback away from this version that is recorded on it."""
    at = version.tags.get(names.for_alias(names.TAG_ROLLED_BACK_AT, alias))
    to = version.tags.get(names.for_alias(names.TAG_ROLLED_BACK_TO, alias))
    if at is None or to is None:
        return None
    return Move(
        version=int(to),
        previous=version.version,
        by=version.tags.get(names.for_alias(names.TAG_ROLLED_BACK_BY, alias), "unknown"),
        at=datetime.fromisoformat(at),
        is_rollback=True,
    )


def tags_of(move: Move, alias: str) -> dict[str, str]:
    """The tags that record a move, for the version that it is recorded on."""
    if move.is_rollback:
        return {
            names.for_alias(names.TAG_ROLLED_BACK_BY, alias): move.by,
            names.for_alias(names.TAG_ROLLED_BACK_TO, alias): str(move.version),
            names.for_alias(names.TAG_ROLLED_BACK_AT, alias): move.at.isoformat(),
        }
    return {
        names.for_alias(names.TAG_PROMOTED_BY, alias): move.by,
        names.for_alias(names.TAG_PROMOTED_FROM, alias): str(move.previous or ""),
        names.for_alias(names.TAG_PROMOTED_AT, alias): move.at.isoformat(),
    }
