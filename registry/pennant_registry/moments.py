"""What an alias or a stage was at, and what served, at a moment: as far as records tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import overload

from pennant_registry import client as mlflow_client
from pennant_registry import versions
from pennant_registry.errors import InvalidNameError
from pennant_registry.moves import Move, promotion_of, rollback_of
from pennant_registry.places import Place, Word
from pennant_registry.pointers import Pointer, pointer
from pennant_registry.rollouts import notes_of
from pennant_registry.versions import Version


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known of one moment."""

    at: datetime
    version: int | None
    """That the alias pointed at, by the records; None: not set, or not known."""
    move: Move | None
    """By which it got there, and so who moved it; None where no record says."""
    doubt: str | None
    """Why it may have been otherwise; None where all records agree."""
    served: Mapping[str, int]
    """By place, `cluster/namespace/name`: the version that served there, where a tag says so."""
    not_known: tuple[str, ...]
    """Places where another version may have served: what serves there now began later."""


@overload
def history(
    name: str, alias: str | None = None, *, stage: str | None = None, at: None = None
) -> list[Move]: ...


@overload
def history(
    name: str, alias: str | None = None, *, stage: str | None = None, at: datetime
) -> Moment: ...


def history(
    name: str,
    alias: str | None = None,
    *,
    stage: str | None = None,
    at: datetime | None = None,
) -> list[Move] | Moment:
    """The recorded moves of an alias or a stage, newest first: each version's last promotion and
    rollback. With `at`, a time with its time zone: what is known of that moment.

    A move that was made without this library left no record and is not here; nor is an earlier
    promotion, or rollback, of a version that has a later one.
    """
    of = pointer(name, alias, stage)
    if at is not None and at.tzinfo is None:
        raise InvalidNameError(f"at {at.isoformat()} has no time zone: give it one, such as UTC")
    client = mlflow_client.connect()
    recorded = versions.of_model(client, name)
    moves = [move for v in recorded for move in (promotion_of(v, of), rollback_of(v, of)) if move]
    moves.sort(key=lambda move: move.at, reverse=True)
    if at is None:
        return moves
    holders = of.holders(client, name)
    return moment(at, moves, holders[0].version if holders else None, of, recorded)


def moment(
    at: datetime,
    moves: Sequence[Move],
    current: int | None,
    of: Pointer,
    recorded: Iterable[Version],
) -> Moment:
    """Pure; `moves` are newest first, `current` is what the alias points at now."""
    last = next((move for move in moves if move.at <= at), None)
    later = next((move for move in reversed(moves) if move.at > at), None)
    served, not_known = _served(recorded, at)
    version = last.version if last else (later.previous if later else None)
    doubt = _doubt(of, last, later, current)
    return Moment(at, version, last, doubt, served, not_known)


def _doubt(of: Pointer, last: Move | None, later: Move | None, current: int | None) -> str | None:
    if last is None:
        return f"no record says how {of} got where it was"
    if later is None and current != last.version:
        now = f"is at version {current}" if current else "holds no version"
        return f"{of} {now} now, and no record says since when"
    if later is not None and later.previous != last.version:
        came = f"from version {later.previous}" if later.previous else "from no version"
        return (
            f"the next record, of {later.at.isoformat(timespec='seconds')}, says that {of} came "
            f"{came}: it was moved in between, and no record says when"
        )
    return None


def _served(recorded: Iterable[Version], at: datetime) -> tuple[dict[str, int], tuple[str, ...]]:
    began: dict[str, tuple[datetime, int]] = {}
    places = set[Place]()
    for version in recorded:
        for place, note in notes_of(version).items():
            places.add(place)
            if note.word is Word.SERVING and note.since is not None and note.since <= at:
                # Of what served before, the tag may not be taken away yet.
                latest = began.get(str(place), (note.since, version.version))
                began[str(place)] = max(latest, (note.since, version.version))
    served = {place: version for place, (_, version) in began.items()}
    return served, tuple(str(place) for place in sorted(places) if str(place) not in served)
