"""RolloutActions about a ModelDeployment that is not there, and those about a ModelRegistry."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from pennant_operator.act.cluster import Cluster
from pennant_operator.act.reports import report
from pennant_operator.decide.actions.reports import (
    ActionReports,
    reports_of_registry,
    reports_without_deployment,
)
from pennant_operator.decide.seen.actions import in_force, parse_actions
from pennant_operator.observe.cluster.store import OF_REGISTRY, Key, Store


@dataclass(frozen=True)
class Targetless:
    """Looks at the RolloutActions of one key."""

    store: Store
    cluster: Cluster
    namespace: str  # where ModelRegistries are
    exists: Callable[[str], bool | None]  # whether one of this name does; None: nobody can tell
    resume: Callable[[str], Awaitable[bool | None]]  # lets its brake go: whether that is recorded
    now: Callable[[], datetime]

    async def look(self, key: Key) -> float | None:
        """Tell them what becomes of them; seconds until the next look. Raises ApiError."""
        reports = await self._decide(key)
        await report(reports.writes, key[0], self.cluster, self.store)
        return reports.due

    async def _decide(self, key: Key) -> ActionReports:
        actions, now = parse_actions(self.store.actions(key)), self.now()
        if not key[1].startswith(OF_REGISTRY):
            return reports_without_deployment(actions, now)
        name = key[1].removeprefix(OF_REGISTRY)
        asked = in_force(actions, now).once if key[0] == self.namespace else ()
        resumed = await self.resume(name) if asked else None
        return reports_of_registry(
            actions, self.namespace, now, exists=self.exists(name), resumed=resumed
        )
