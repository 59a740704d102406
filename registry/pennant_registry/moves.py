"""The record of an alias or a stage that MLflow does not keep: moves, as tags on versions.

A promotion is recorded on the version that gets the alias, a rollback on the version that loses it.
So rolling back leaves the older version's own record alone, and rolling back twice goes two back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pennant_registry import names
from pennant_registry.pointers import Pointer
from pennant_registry.versions import Version


@dataclass(frozen=True, slots=True)
class Move:
    """The alias went from `previous` (None: not set, or not known) to `version`; `at` is in UTC."""

    version: int
    previous: int | None
    by: str
    at: datetime
    is_rollback: bool = False
    override: str | None = None
    """Why it was promoted although its gates refused it, and what they said."""


def promotion_of(version: Version, of: Pointer) -> Move | None:
    """The promotion that is recorded on this version; None where the record is another's."""
    at = _time(version, names.TAG_PROMOTED_AT, of)
    if at is None or not _is_own(version, names.TAG_PROMOTED_AS, of, at):
        return None
    by = version.tags.get(_key(names.TAG_PROMOTED_BY, of), "unknown")
    previous = _number(version, names.TAG_PROMOTED_FROM, of)
    override = version.tags.get(_key(names.TAG_PROMOTED_OVERRIDE, of)) or None
    return Move(version.version, previous, by, at, override=override)


def rollback_of(version: Version, of: Pointer) -> Move | None:
    """The rollback away from this version that is recorded on it; None as for a promotion."""
    at = _time(version, names.TAG_ROLLED_BACK_AT, of)
    to = _number(version, names.TAG_ROLLED_BACK_TO, of)
    if at is None or to is None or not _is_own(version, names.TAG_ROLLED_BACK_AS, of, at):
        return None
    by = version.tags.get(_key(names.TAG_ROLLED_BACK_BY, of), "unknown")
    return Move(to, version.version, by, at, is_rollback=True)


def was_left(version: Version, of: Pointer) -> bool:
    """Whether the last that is recorded of this version is that it was rolled back from."""
    left, made = rollback_of(version, of), promotion_of(version, of)
    return left is not None and (made is None or made.at < left.at)


def is_return(to: Version, current: Version, of: Pointer) -> bool:
    """Whether a version that held the alias before the current one, and was not left, gets it
    again: going back, by another name."""
    before, now = promotion_of(to, of), promotion_of(current, of)
    if before is None or was_left(to, of):
        return False
    return now is None or before.at < now.at


def tags_of(move: Move, of: Pointer, on: Version) -> dict[str, str]:
    """The tags that record a move on a version; its time, which makes a record of them, is last."""
    owner = _owner(on, of)
    if move.is_rollback:
        return {
            _key(names.TAG_ROLLED_BACK_BY, of): move.by,
            _key(names.TAG_ROLLED_BACK_TO, of): str(move.version),
            _key(names.TAG_ROLLED_BACK_AS, of): owner,
            _key(names.TAG_ROLLED_BACK_AT, of): move.at.isoformat(),
        }
    return {
        _key(names.TAG_PROMOTED_BY, of): move.by,
        _key(names.TAG_PROMOTED_FROM, of): str(move.previous or ""),
        **_overridden(move, on, of),
        _key(names.TAG_PROMOTED_AS, of): owner,
        _key(names.TAG_PROMOTED_AT, of): move.at.isoformat(),
    }


def _overridden(move: Move, on: Version, of: Pointer) -> dict[str, str]:
    """An earlier promotion's override is not this one's: MLflow keeps what is not written anew."""
    key = _key(names.TAG_PROMOTED_OVERRIDE, of)
    return {key: move.override or ""} if move.override or key in on.tags else {}


def _is_own(version: Version, tag: str, of: Pointer, at: datetime) -> bool:
    """MLflow copies a version with its tags, to another model or within one: a copied record tells
    of the version that it was made for.

    Older records do not say whose they are: what is older than its version was copied with it.
    """
    owner = version.tags.get(_key(tag, of))
    if owner is not None:
        return owner == _owner(version, of)
    return version.created is not None and version.created <= at


def _owner(version: Version, of: Pointer) -> str:
    return f"{version.name}/{version.version}@{of.suffix}"


def _time(version: Version, tag: str, of: Pointer) -> datetime | None:
    """None for what somebody wrote by hand and is no time: then there is no record."""
    try:
        at = datetime.fromisoformat(version.tags.get(_key(tag, of), ""))
    except ValueError:
        return None
    return at if at.tzinfo else None


def _number(version: Version, tag: str, of: Pointer) -> int | None:
    text = version.tags.get(_key(tag, of), "")
    return int(text) if text.isascii() and text.isdigit() else None


def _key(tag: str, of: Pointer) -> str:
    return f"{tag}.{of.suffix}"
