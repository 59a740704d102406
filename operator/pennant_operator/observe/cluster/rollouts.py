"""Which ModelDeployments of a registry roll out now, and which wait for their turn.

By their statuses, as the store has them; and by what was decided a moment ago and is still being
written, so that two workers do not take one place. Whoever leaves a place or the line makes the
next one be looked at.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from pennant_operator.decide.seen.observed import Turn
from pennant_operator.decide.seen.sanitize import sanitized_status

Key: TypeAlias = tuple[str, str]  # namespace and name of a ModelDeployment
Status: TypeAlias = dict[str, Any]


class Rollouts:
    """The line of each registry."""

    def __init__(self) -> None:
        self._registry_of: dict[Key, str] = {}
        self._under_way: defaultdict[str, set[Key]] = defaultdict(set)
        self._line: defaultdict[str, dict[Key, str]] = defaultdict(dict)  # since when each waits
        self._decided: dict[Key, str] = {}  # places that are taken and not stored yet
        self.wake: Callable[[Iterable[Key]], None] = lambda _: None
        """Has these looked at."""

    def turn(self, key: Key, registry: str) -> Turn:
        """Where this one is, or would be."""
        line, under_way = self._line[registry], self._under_way[registry]
        taken = {k for k, of in self._decided.items() if of == registry}
        mine = (line[key], key) if key in line else None
        waiting = ((since, k) for k, since in line.items() if k != key and k not in taken)
        ahead = sum(mine is None or each < mine for each in waiting)
        return Turn(len((under_way | taken) - {key}), ahead)

    def counts(self, registry: str) -> tuple[int, int]:
        """How many come up, and how many wait."""
        return len(self._under_way[registry]), len(self._line[registry])

    def decided(
        self, key: Key, registry: str | None, status: Status | None, *, begins: bool = False
    ) -> None:
        """What a plan makes of it, before that is stored; of no registry as in `saw`.

        What begins has a place, though its status may still say that it was refused.
        """
        self._decided.pop(key, None)
        if registry is not None and (begins or (status is not None and _comes_up(status))):
            self._decided[key] = registry

    def saw(self, key: Key, registry: str | None, owner: dict[str, Any]) -> None:
        """A ModelDeployment as it is stored; of no registry where its spec cannot be understood."""
        status = sanitized_status(owner.get("status"))
        if "deletionTimestamp" in owner["metadata"]:
            registry = None
        left = self._leave(key, stays=registry is not None and _comes_up(status))
        if registry is not None:
            self._registry_of[key] = registry
            if _comes_up(status):
                self._under_way[registry].add(key)
                self._decided.pop(key, None)
            elif "line" in status and not _is_stalled(status):
                self._line[registry][key] = str(status["line"]["since"])
        if left is not None and key not in self._line[left]:
            self.wake(self.next_ones(left, 1))

    def _leave(self, key: Key, *, stays: bool) -> str | None:
        """Where it was; the registry whose place or turn it gives to another."""
        registry = self._registry_of.pop(key, None)
        if registry is None:
            return None
        had_place, waited = key in self._under_way[registry], key in self._line[registry]
        self._under_way[registry].discard(key)
        self._line[registry].pop(key, None)
        return registry if (had_place or waited) and not stays else None

    def gone(self, key: Key) -> None:
        """The ModelDeployment is not there any more."""
        self._decided.pop(key, None)
        self.saw(key, None, {"metadata": {}})

    def next_ones(self, registry: str, places: int) -> list[Key]:
        """So many that have waited longest."""
        waiting = sorted((since, key) for key, since in self._line[registry].items())
        return [key for _, key in waiting[: max(places, 0)]]


def _comes_up(status: Status) -> bool:
    """It has a place; what is held has none, nor has what a person must put right first."""
    candidate = status.get("candidate") or {}
    return bool(candidate) and "retryTime" not in candidate and not _is_stalled(status)


def _is_stalled(status: Status) -> bool:
    conditions = status.get("conditions") or []
    return any(each.get("type") == "Stalled" and each.get("status") == "True"
               for each in conditions)  # fmt: skip
