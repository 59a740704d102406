"""Which version a rollback goes to. Pure, but for the question after a version."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set

from pennant_registry import moves
from pennant_registry.errors import NothingToRollBackError, VersionMissingError
from pennant_registry.pointers import Pointer
from pennant_registry.rollouts import was_rejected
from pennant_registry.versions import Version


def predecessor(
    holders: Sequence[Version],
    of: Pointer,
    get: Callable[[int], Version],
    avoided: Set[int] = frozenset(),
) -> Version:
    """The last version that held the alias, by the records back from the one that does, and that
    was not rolled back from since, nor rejected where it was tried; in a stage, where no record
    tells, the next one in it.

    `holders` begins with the current one; those that are `avoided` are on hold. Raises
    NothingToRollBackError, and VersionMissingError for one that was deleted: its record of the one
    before went with it.
    """
    at, seen = holders[0], {holders[0].version}
    while (made := moves.promotion_of(at, of)) and made.previous and made.previous not in seen:
        at = _still_there(at, made.previous, of, get)
        if not moves.was_left(at, of) and at.version not in avoided and not was_rejected(at):
            return at
        seen.add(at.version)
    for other in holders[1:]:
        if not (moves.was_left(other, of) or other.version in avoided or was_rejected(other)):
            return other
    raise NothingToRollBackError(
        f"version {holders[0].version} of {holders[0].name} holds {of} and records no version "
        "before it to go back to: promote the version that you want by its number"
    )


def _still_there(at: Version, previous: int, of: Pointer, get: Callable[[int], Version]) -> Version:
    try:
        return get(previous)
    except VersionMissingError as error:
        raise VersionMissingError(
            f"version {previous} of {at.name}, which held {of} before version {at.version}, was "
            "deleted: promote the version that you want by its number"
        ) from error
