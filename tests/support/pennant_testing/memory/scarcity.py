"""What a simulated cluster lacks: room on its nodes, quota, and a node that is dead."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pennant_operator.decide.seen.pod_facts import PodFacts
from pennant_operator.decide.times import format_time
from pennant_testing.memory.simulated_pods import stays_pending

Conditions = list[dict[str, Any]]

NODES = 2
EXCEEDED = {"type": "ReplicaFailure", "status": "True", "message": 'exceeded quota: "compute"'}


@dataclass
class Scarcity:
    """How many pods there may be, and how many have a node; first come, first served."""

    quota: int | None = None  # pods that the API server admits; the lobby's come last
    room: int | None = None  # pods that the nodes take
    dead: str | None = None  # a node that reports nothing any more
    lobby: bool = False  # pods of the lobby do not start
    refuses: set[str] = field(default_factory=set)  # slots that may make no more pods
    _placed: set[str] = field(default_factory=set)

    def admitted(self, slot: str, wanted: int, there: int) -> int:
        """How many of the wanted pods may be created beside those that are there."""
        if slot in self.refuses:
            return 0
        return wanted if self.quota is None else max(min(wanted, self.quota - there), 0)

    def reported(self, conditions: Conditions, *, refused: bool, now: datetime) -> Conditions:
        """The conditions of a Deployment that were these."""
        if not refused:
            return []
        return conditions or [{**EXCEEDED, "lastTransitionTime": format_time(now)}]

    def node(self, number: int) -> str:
        """Where the pod of this number runs."""
        return f"node-{number % NODES + 1}"

    def avoids_the_dead(self, number: int) -> int:
        """A number whose node lives."""
        return number + 1 if self.node(number) == self.dead else number

    def placed(
        self, pods: Iterable[PodFacts], become: Callable[[PodFacts], PodFacts]
    ) -> Callable[[PodFacts], PodFacts]:
        """What pods become that have a node, and the others; `pods` are all there are."""
        self._placed &= {p.uid for p in pods if p.evicted is None}

        def template(pod: PodFacts) -> PodFacts:
            if pod.uid not in self._placed:
                if self.room is not None and len(self._placed) >= self.room:
                    return stays_pending(pod)
                self._placed.add(pod.uid)
            return become(pod)

        return template

    def answers(self, pod: PodFacts) -> PodFacts:
        """A node that is dead answers nothing; who is to leave it does not, until it is back."""
        return replace(pod, ready=False) if pod.node == self.dead else pod
