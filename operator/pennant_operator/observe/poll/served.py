"""Whether what serves is still registered: asked of versions that no alias, stage or spec names.

Of those that one names the poll says so by itself: a deleted version takes its aliases with it. And
of the others only after their model changed, which every poll sees: an idle one asks nothing more.
"""

from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass, field
from itertools import islice

from pennant_operator.decide.seen.memory import memory_of
from pennant_operator.decide.seen.observed import Absent, ModelVersion, Observed
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.decide.vocabulary import Reason, Summary
from pennant_operator.observe.cluster.store import Key
from pennant_operator.observe.poll.gate_questions import serving_version
from pennant_operator.observe.poll.version_facts import Identity

# What may be because the version that serves was deleted; a model that is gone says so itself.
_ABSENCES = {Reason.ALIAS_NOT_SET, Reason.STAGE_EMPTY, Reason.VERSION_NOT_FOUND}
_WAITS = {Summary.HELD, Summary.REJECTED, Summary.SUSPENDED}  # what is desired, perhaps for long
SERVED_LIMIT = 20  # versions that serve and are asked for, before aliases are looked at again


def unnamed_serving(seen: Observed, watch: Watch) -> Identity | None:
    """The version that serves, where it goes on to although the registry names another one, or
    none; else None. Pure."""
    memory, desired = memory_of(seen.owner), seen.desired
    served = serving_version(memory, watch, seen.records)
    if not isinstance(served, Identity) or served.name != watch.model or not served.created:
        return None
    if isinstance(desired, ModelVersion):
        is_named = (desired.name, desired.version, desired.created) == served
        waits = memory.status.get("summary") in _WAITS
        return served if waits and not is_named and desired.silence is None else None
    return served if isinstance(desired, Absent) and desired.reason in _ABSENCES else None


@dataclass
class _ServedVersion:
    """What is known of one version, and who wants to know."""

    wanted_by: set[Key] = field(default_factory=set)
    is_missing: bool | None = None  # None: not known
    asked_at: int | None = None  # of which time stamp of its model; None: not asked


@dataclass
class ServedVersions:
    """Of one registry."""

    _versions: dict[Identity, _ServedVersion] = field(default_factory=dict)
    _updated: dict[str, int] = field(default_factory=dict)  # models, by the registry's clock

    def look_up(self, key: Key, wanted: Identity | None) -> bool | None:
        """Whether this version is missing, None where that is not known; without one it is not."""
        for version in [v for v, entry in self._versions.items() if key in entry.wanted_by]:
            if version != wanted:
                self._drop(key, version)
        if wanted is None:
            return False
        entry = self._versions.setdefault(wanted, _ServedVersion())
        entry.wanted_by.add(key)
        return entry.is_missing

    def updated(self, model: str, at: int) -> None:
        """A poll saw when a model changed last; aliases do not count."""
        self._updated[model] = at

    def due(self) -> list[Identity]:
        """What is to be asked now, no more than may be asked at once."""
        return [*islice(filter(self.is_due, self._versions), SERVED_LIMIT)]

    def is_due(self, version: Identity) -> bool:
        """Whether one of these is to be asked for: it never was, or its model changed since."""
        asked_at = self._versions[version].asked_at
        return asked_at is None or asked_at != self._updated.get(version.name, 0)

    async def ask(
        self, version: Identity, created: Callable[[], Awaitable[int | None]]
    ) -> Set[Key]:
        """Ask when the version of this number was made; who is to know that there is news.

        What `created` raises leaves all as it was.
        """
        updated = self._updated.get(version.name, 0)
        is_missing = await created() != version.created
        entry = self._versions.get(version)
        if entry is None:
            return set()
        news, entry.is_missing, entry.asked_at = is_missing != entry.is_missing, is_missing, updated
        return set(entry.wanted_by) if news else set()

    def not_answered(self, version: Identity) -> None:
        """The registry answers, and not this: it is not asked again until its model changes."""
        if version in self._versions:
            self._versions[version].asked_at = self._updated.get(version.name, 0)

    def forget_all_but(self, keys: Set[Key], models: Set[str]) -> None:
        """Drop what nobody watches any more."""
        for version, entry in list(self._versions.items()):
            for key in entry.wanted_by - keys:
                self._drop(key, version)
        self._updated = {model: at for model, at in self._updated.items() if model in models}

    def _drop(self, key: Key, version: Identity) -> None:
        self._versions[version].wanted_by.discard(key)
        if not self._versions[version].wanted_by:
            del self._versions[version]
