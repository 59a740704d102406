"""RolloutActions about a ModelDeployment that is not there, and those about a ModelRegistry."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pennant_operator.act.cluster import Cluster
from pennant_operator.act.reports import report
from pennant_operator.decide.actions.reports import (
    Reports,
    reports_of_registry,
    reports_without_deployment,
)
from pennant_operator.decide.seen.actions import parse_actions
from pennant_operator.observe.cluster.store import OF_REGISTRY, Key, Store


@dataclass(frozen=True)
class Targetless:
    """Looks at the RolloutActions of one key."""

    store: Store
    cluster: Cluster
    namespace: str  # where ModelRegistries are
    exists: Callable[[str], bool | None]  # whether one of this name does; None: nobody can tell
    now: Callable[[], datetime]

    async def look(self, key: Key) -> float | None:
        """Tell them what becomes of them; seconds until the next look. Raises ApiError."""
        reports = self._decide(key)
        await report(reports.writes, key[0], self.cluster, self.store)
        return reports.due

    def _decide(self, key: Key) -> Reports:
        actions, now = parse_actions(self.store.actions(key)), self.now()
        if not key[1].startswith(OF_REGISTRY):
            return reports_without_deployment(actions, now)
        exists = self.exists(key[1].removeprefix(OF_REGISTRY))
        return reports_of_registry(actions, self.namespace, now, exists=exists)
