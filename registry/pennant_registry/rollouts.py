"""Waiting until a version serves where it was promoted to, by what the operator writes into its
tags (`spec.writeBack` of the ModelRegistry): no cluster is asked."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pennant_registry import versions
from pennant_registry.durations import parse_duration
from pennant_registry.errors import (
    InvalidNameError,
    RegistryUnreachableError,
    RolloutHeldError,
    RolloutRejectedError,
    RolloutSupersededError,
    RolloutTimeoutError,
)
from pennant_registry.places import Note, Place, Word, notes_by_place, parse_place
from pennant_registry.pointers import Pointer
from pennant_registry.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient

POLL_SECONDS = 2.0  # between two looks at a version's tags
_VERDICTS = {Word.HELD: RolloutHeldError, Word.REJECTED: RolloutRejectedError}


@dataclass(frozen=True, slots=True)
class Awaited:
    """How long to wait, and for which place; None for the only one that there is."""

    seconds: float
    where: Place | None


def awaited(wait: str | None, where: str | None) -> Awaited | None:
    """What is to be waited for, read before anything moves; raises InvalidNameError."""
    if wait is None:
        if where is not None:
            raise InvalidNameError(f"where {where!r} is for waiting: give wait too, such as '10m'")
        return None
    try:
        limit = parse_duration(wait)
    except ValueError as error:
        raise InvalidNameError(f"wait {error}") from error
    return Awaited(limit.total_seconds(), parse_place(where) if where is not None else None)


def wait_until_served(
    client: MlflowClient,
    version: Version,
    of: Pointer,
    limit: Awaited,
    *,
    moved: bool,
) -> None:
    """Return once it serves there; raises RolloutHeldError, RolloutRejectedError with what the
    operator says, RolloutSupersededError, RolloutTimeoutError.

    `version` is as it was before the alias `moved`, if it did: what was said of it then is none of
    this rollout. A registry that does not answer is asked again.
    """
    deadline, before = time.monotonic() + limit.seconds, version.tags if moved else {}
    while True:
        try:
            place, note = _look(client, version, of, limit.where, before)
        except RegistryUnreachableError as error:
            latest = str(error)
        else:
            if note is not None and note.word is Word.SERVING:
                return
            if note is not None:
                raise _VERDICTS[note.word](f"{_title(version)} at {place}: {note.sentence}")
            latest = "nothing is said of it there"
        left = deadline - time.monotonic()
        if left <= 0:
            raise RolloutTimeoutError(
                f"{_title(version)} does not serve at {limit.where or 'any place'} after "
                f"{limit.seconds:.0f} s: {latest}. See kubectl describe of the ModelDeployment, "
                "and that spec.writeBack of its ModelRegistry is set"
            )
        time.sleep(min(POLL_SECONDS, left))


def _look(
    client: MlflowClient,
    version: Version,
    of: Pointer,
    where: Place | None,
    before: Mapping[str, str],
) -> tuple[Place | None, Note | None]:
    """What is said of it by now at the place that is meant."""
    holders = of.holders(client, version.name)
    current = holders[0] if holders else None
    if current is None or current.version != version.version:
        by = f"is at version {current.version}" if current else "holds no version"
        raise RolloutSupersededError(
            f"{_title(version)} was superseded before it served: {of} {by} by now"
        )
    place = where or _only_place(client, version.name)
    note = notes_of(current).get(place) if place is not None else None
    if place is None or note is None:
        return place, None
    # What serves goes on serving while others are tried: that was said before, and is so.
    stale = note.word is not Word.SERVING and before.get(place.tag) == note.sentence
    return place, None if stale else note


def notes_of(version: Version) -> dict[Place, Note]:
    """What places say of a version; not what was said of one that it was copied from."""
    return {
        place: note
        for place, note in notes_by_place(version.tags).items()
        if note.since is None or version.created is None or version.created <= note.since
    }


def was_rejected(version: Version) -> bool:
    """Whether a place says so, and none that it serves."""
    words = {note.word for note in notes_of(version).values()}
    return Word.REJECTED in words and Word.SERVING not in words


def _only_place(client: MlflowClient, name: str) -> Place | None:
    """The one that any version of the model speaks of; None while there is none."""
    places = {place for version in versions.of_model(client, name) for place in notes_of(version)}
    if len(places) > 1:
        raise InvalidNameError(
            f"{name} is served at {', '.join(map(str, sorted(places)))}: say which one to wait "
            f"for, such as where={str(min(places))!r}"
        )
    return next(iter(places), None)


def _title(version: Version) -> str:
    return f"version {version.version} of {version.name}"
