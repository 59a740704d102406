"""The record of an alias or a stage that MLflow does not keep: moves, as tags on versions.

A promotion is recorded on the version that gets the alias, a rollback on the version that loses it.
So rolling back leaves the older version's own record alone, and rolling back twice goes two back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pennant_registry import client as mlflow_client
from pennant_registry import names, versions
from pennant_registry.pointers import Pointer, pointer
from pennant_registry.versions import Version


@dataclass(frozen=True, slots=True)
class Move:
    """The alias went from `previous` (None: not set, or not known) to `version`; `at` is in UTC."""

    version: int
    previous: int | None
    by: str
    at: datetime
    is_rollback: bool = False


def history(name: str, alias: str | None = None, *, stage: str | None = None) -> list[Move]:
    """The recorded moves of an alias or a stage, newest first: each version's last promotion and
    rollback.

    A move that was made without this library left no record and is not here.
    """
    of = pointer(name, alias, stage)
    found = versions.of_model(mlflow_client.connect(), name)
    moves = [move for v in found for move in (promotion_of(v, of), rollback_of(v, of))]
    return sorted((move for move in moves if move), key=lambda move: move.at, reverse=True)


def promotion_of(version: Version, of: Pointer) -> Move | None:
    """The promotion that is recorded on this version."""
    at = version.tags.get(_key(names.TAG_PROMOTED_AT, of))
    if at is None:
        return None
    before = version.tags.get(_key(names.TAG_PROMOTED_FROM, of))
    return Move(
        version=version.version,
        previous=int(before) if before else None,
        by=version.tags.get(_key(names.TAG_PROMOTED_BY, of), "unknown"),
        at=datetime.fromisoformat(at),
    )


def rollback_of(version: Version, of: Pointer) -> Move | None:
    """The rollback away from this version that is recorded on it."""
    at = version.tags.get(_key(names.TAG_ROLLED_BACK_AT, of))
    to = version.tags.get(_key(names.TAG_ROLLED_BACK_TO, of))
    if at is None or to is None:
        return None
    return Move(
        version=int(to),
        previous=version.version,
        by=version.tags.get(_key(names.TAG_ROLLED_BACK_BY, of), "unknown"),
        at=datetime.fromisoformat(at),
        is_rollback=True,
    )


def tags_of(move: Move, of: Pointer) -> dict[str, str]:
    """The tags that record a move, for the version that it is recorded on."""
    if move.is_rollback:
        return {
            _key(names.TAG_ROLLED_BACK_BY, of): move.by,
            _key(names.TAG_ROLLED_BACK_TO, of): str(move.version),
            _key(names.TAG_ROLLED_BACK_AT, of): move.at.isoformat(),
        }
    return {
        _key(names.TAG_PROMOTED_BY, of): move.by,
        _key(names.TAG_PROMOTED_FROM, of): str(move.previous or ""),
        _key(names.TAG_PROMOTED_AT, of): move.at.isoformat(),
    }


def _key(tag: str, of: Pointer) -> str:
    return f"{tag}.{of.suffix}"
