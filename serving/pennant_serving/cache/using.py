"""The way of a bundle or an environment through the cache: the entry that is there, or a new one.

Whatever is wrong with the cache fails no pod that would do without it: it is said in a line of the
log, and the pod goes on as if there were none.
"""

from __future__ import annotations

import errno
import os
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pennant_serving.cache import entries, incoming, locks, publication, removing, rollouts
from pennant_serving.cache.publication import Publication
from pennant_serving.cache.settings import CacheSettings
from pennant_serving.failures import PodError, Reason

T = TypeVar("T")
FULL = (errno.ENOSPC, errno.EDQUOT)


class Cacheable(Protocol[T]):
    """What one pod needs, as the cache sees it."""

    @property
    def kind(self) -> str:
        """One of `entries.KINDS`."""

    def known(self) -> str | None:
        """The entry that it is, where that is known before it is made."""

    def verified(self, name: str, content: dict[str, Any], files: Path) -> T | None:
        """What an entry is, when its record and its bytes are what its name says."""

    def follow(self, files: Path, value: T) -> None:
        """Put what is in an entry to its place in the pod."""

    def settle(self, folder: Path) -> str | None:
        """The entry that it comes to, where asking tells that before anything is downloaded."""

    def make(self, folder: Path) -> tuple[str, dict[str, Any], T]:
        """Download into `files` of a folder, and verify: the name, what to record, what it is."""

    def keep(self, files: Path, value: T) -> None:
        """Put to its place in the pod what was made and is no entry."""

    def remembered(self, name: str) -> dict[str, str]:
        """What the next pods of the rollout go by."""


def use(cache: CacheSettings, wanted: Cacheable[T]) -> tuple[T, bool] | None:
    """What is in its place now, and whether it was there already; None where the pod has to do
    without the cache. Raises PodError."""
    try:
        return _use(cache, wanted)
    except OSError as error:
        _report(cache, wanted, str(error))
    except PodError as error:
        if not _is_full(error):
            raise
        _report(cache, wanted, error.message)
    return None


def _use(cache: CacheSettings, wanted: Cacheable[T]) -> tuple[T, bool]:
    present = _known_entry(cache, wanted)
    if present is not None:
        return present, True
    with _alone(cache, wanted):
        present = _known_entry(cache, wanted)  # another pod may have made it meanwhile
        if present is not None:
            return present, True
        return _made(cache, wanted), False


def _alone(cache: CacheSettings, wanted: Cacheable[T]) -> AbstractContextManager[object]:
    """One pod makes it, others wait: for what is known, or for what their rollout comes to."""
    subject = _known(wanted) or cache.rollout
    if not subject:
        return nullcontext()
    return locks.temporary(cache.path / "locks" / f"{wanted.kind}-{subject}.lock", cache.wait)


def _known(wanted: Cacheable[T]) -> str | None:
    """Where it is the name of an entry: a tag may say anything."""
    name = wanted.known()
    return name if name is not None and entries.NAME.fullmatch(name) else None


def _known_entry(cache: CacheSettings, wanted: Cacheable[T]) -> T | None:
    name = _known(wanted)
    return _entry(cache, wanted, name) if name else None


def _entry(cache: CacheSettings, wanted: Cacheable[T], name: str) -> T | None:
    """What an entry is, put to its place; None where there is none, or was a damaged one."""
    folder = entries.path_of(cache.path, wanted.kind, name)
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(entries.in_use(folder))
        except FileNotFoundError:
            return None
        entries.touch(opened)
        content = entries.content(folder)
        value = wanted.verified(name, content, folder / entries.FILES) if content else None
        if value is not None:
            wanted.follow(folder / entries.FILES, value)
            return value
        damaged = os.fstat(opened)
    if removing.discard(cache.path, folder, damaged):
        print(f"{folder} is damaged, and is made anew", flush=True)
        return None
    raise BlockingIOError(errno.EBUSY, "it is damaged, and in use or replaced", str(folder))


def _made(cache: CacheSettings, wanted: Cacheable[T]) -> T:
    with incoming.making(cache.path) as folder:
        made = folder / "entry"
        (made / entries.FILES).mkdir(parents=True)
        settled = wanted.settle(made)
        if settled is not None:
            present = _entry(cache, wanted, settled)
            if present is not None:  # another version came to the same
                rollouts.remember(cache, folder, wanted.remembered(settled))
                return present
        name, recorded, value = wanted.make(made)
        outcome = publication.publish(cache, made, wanted.kind, name, recorded)
        if outcome is Publication.PUBLISHED:
            files = entries.path_of(cache.path, wanted.kind, name) / entries.FILES
            wanted.follow(files, value)
        elif outcome is Publication.NO_ROOM or _entry(cache, wanted, name) is None:
            _report(cache, wanted, outcome.value.format(cache.size))
            wanted.keep(made / entries.FILES, value)
            return value
        rollouts.remember(cache, folder, wanted.remembered(name))
        return value


def _is_full(error: PodError) -> bool:
    cause = error.__cause__
    is_full = isinstance(cause, OSError) and cause.errno in FULL
    return is_full or error.reason is Reason.CONFIGURATION_ERROR


def _report(cache: CacheSettings, wanted: Cacheable[T], problem: str) -> None:
    print(f"{wanted.kind} go without the cache {cache.path}: {problem}", flush=True)
