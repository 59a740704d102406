"""Whom a poll's answers concern: who watches what changed is looked at again, once."""

import logging
from collections.abc import Iterable
from typing import Protocol

from pennant_operator.decide.seen.observed import ModelVersion
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.cluster.store import Key
from pennant_operator.observe.poll.known import Known
from pennant_operator.observe.poll.outage import Outage
from pennant_operator.observe.poll.recorded import Pointed
from pennant_operator.observe.poll.watchers import Watchers
from pennant_registry.hold_form import Holds

LOG = logging.getLogger(__name__)


class Enqueue(Protocol):
    """Has ModelDeployments looked at."""

    def __call__(self, keys: Iterable[Key], *, urgent: bool = False) -> None:
        """As soon as a worker is free; urgent ones first."""


class Announcements:
    """What one registry's watchers were shown before a poll, and who is shown something else."""

    def __init__(
        self, registry: str, known: Known, outage: Outage, watchers: Watchers, enqueue: Enqueue
    ) -> None:
        self._registry = registry
        self._known = known
        self._outage = outage
        self._watchers = watchers
        self._enqueue = enqueue
        self._shown: dict[Watch, tuple[object, Holds | None]] = {}

    def snapshot(self, watches: Iterable[Watch]) -> None:
        """What is shown of these now is what changes are measured by."""
        self._shown = {watch: self._shows(watch) for watch in watches}

    def announce_all(self) -> None:
        """What an outage shows, or its end takes back."""
        for watch in self._shown:
            self.announce(watch)

    def announce(self, watch: Watch) -> None:
        """Whom it concerns, once, if anything is new; a line of the log if it is a move.

        A move is urgent, and a hold or its end, for a person made it: if many follow, the first of
        them bring events all along their rollouts, and these must not come before the last ones'
        beginning.
        """
        shown, shows = self._shown[watch], self._shows(watch)
        if shows == shown:
            return
        self._shown[watch] = shows
        before, now = shown[0], shows[0]
        moved, version = shown[1] not in (None, shows[1]), getattr(before, "version", None)
        if isinstance(now, ModelVersion | Pointed) and version not in {None, now.version}:
            LOG.info(
                "registry %s: %s is version %s, was %s",
                *(self._registry, watch.title, now.version, version),
            )
            moved = True
        self._enqueue(self._watchers.keys(watch), urgent=moved)

    def _shows(self, watch: Watch) -> tuple[object, Holds | None]:
        """What must change for anybody to be shown something else."""
        state = True if self._outage.reported else self._known.state(watch)
        return state, self._known.holds.get(watch)
