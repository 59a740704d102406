"""An operator process around `plan`, as fallible as a real one.

It decides from its own view of the cluster, which lags behind until events arrive. Its requests
are refused, get lost, or are carried out and never answered; it is killed between any two of them;
and the cluster moves on between its look and its writes. `run/reconcile.py` is the real loop.
"""

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from pennant_operator.decide.intent import ActionStatus, Plan
from pennant_operator.decide.plan import plan, wanted_reports, wants_pods
from pennant_operator.decide.seen.actions import parse_actions
from pennant_operator.decide.seen.observed import Observed
from pennant_operator.decide.seen.revision import Record
from pennant_testing.memory.law_checks import Laws
from pennant_testing.memory.simulated_api_server import ConflictError
from pennant_testing.memory.simulated_cluster import Simulation


class Fate(Enum):
    """What becomes of one request."""

    ANSWERED = "answered"
    LATE = "the cluster moves on before it arrives"
    LOST = "it never arrives"
    UNANSWERED = "it is carried out, the answer is lost"
    KILLED_BEFORE = "the operator dies before it"
    KILLED_AFTER = "it is carried out, the operator dies"


@dataclass
class FallibleOperator:
    """One process after another, each with a view of its own."""

    world: Simulation
    laws: Laws = field(default_factory=Laws)
    owner: dict[str, Any] = field(init=False)
    children: dict[str, dict[str, Any]] = field(init=False)
    records: dict[str, Record] = field(init=False)
    actions: dict[str, dict[str, Any]] = field(init=False)
    met: bool = False
    sent: int = 0  # requests, of all processes
    fates: dict[int, Fate] = field(default_factory=dict)  # of requests to come, by their number

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new process: it lists everything, and has read no child by name yet."""
        self.met = False
        self._see()
        self.meet()

    def meet(self) -> None:
        """Every child is read by name."""
        self.children = self.world.live()
        self.records = self.world.own_records()

    def hear(self) -> bool:
        """The watch catches up with what bears our label; whether there was anything to hear."""
        before = (self.owner, self.children, self.actions)
        self._see()
        self.children = {
            key: child
            for key, child in self.world.live().items()
            if "labels" in child["metadata"] or key in self.children
        }
        return before != (self.owner, self.children, self.actions)

    def _see(self) -> None:
        self.owner = dict(self.world.owner)
        self.actions = dict(self.world.actions)
        self.laws.seen(self.world)

    def observe(self) -> Observed:
        """As observe/gather.py: children as known, pods listed where a decision needs them."""
        live = self.world.observe()
        seen = replace(
            live,
            owner=self.owner,
            desired=self.world.answer(self.actions),
            children=dict(self.children),
            records=dict(self.records),
            actions=parse_actions(self.actions.values()),
            pods={},
            reports=None,
        )
        if not wants_pods(seen, self.world.now):
            return seen
        seen = replace(seen, pods=live.pods)
        if not self.world.answers:
            return seen
        return replace(seen, reports=self.world.reported(wanted_reports(seen, self.world.now)))

    def reconcile(self) -> Plan | None:
        """One pass; None when it was cut short."""
        seen = self.observe()
        decision = plan(seen, self.world.now)
        if decision.claims_names or (decision.writes and not self.met):
            self.meet()
            self.met = True
            seen = self.observe()
            decision = plan(seen, self.world.now)
        self.laws.decided(seen, decision, self.world.now)
        news = decision.status is not None and decision.status != self.owner.get("status")
        status = [decision.status] if news else []
        first, last = (status, []) if decision.begins else ([], status)
        requests = [*first, *decision.writes, *last, *decision.reports]
        for request in requests:
            fate = self.fates.pop(self.sent, Fate.ANSWERED)
            self.sent += 1
            if not self._send(seen, request, fate):
                return None
        self.laws.done(self.world, seen, decision, self.children)
        return decision

    def _send(self, seen: Observed, request: Any, fate: Fate) -> bool:
        if fate is Fate.KILLED_BEFORE:
            self.restart()
            return False
        if fate is Fate.LATE:
            self.world.work()
        try:
            if fate is not Fate.LOST:
                self._take(seen, request)
        except ConflictError:
            self.met = False
            return False
        if fate is Fate.KILLED_AFTER:
            self.restart()
            return False
        if fate in (Fate.LOST, Fate.UNANSWERED):
            self.met = False
            return False
        self._learn(request)
        return True

    def _take(self, seen: Observed, request: Any) -> None:
        if isinstance(request, dict):
            self.world.owner = {**self.world.owner, "status": request}
            self.laws.seen(self.world)
            return
        if _is_report(request):
            self.world.report_on(request)
            return
        self.laws.before(self.world, seen, request)
        self.world.carry_out(request)
        self.laws.after(self.world)

    def _learn(self, request: Any) -> None:
        """The answer holds the object as it is now."""
        if isinstance(request, dict):
            self.owner = dict(self.world.owner)
            return
        if _is_report(request):
            self.actions = dict(self.world.actions)
            return
        self.records = self.world.own_records()
        for key in self.world.children.keys() | self.children.keys():
            if key == _key(request):
                self.children.pop(key, None)
                if key in self.world.children:
                    self.children[key] = self.world.live()[key]


def _is_report(request: Any) -> bool:
    return isinstance(request, ActionStatus) or getattr(request, "kind", "") == "RolloutAction"


def _key(write: Any) -> str:
    manifest = getattr(write, "manifest", None)
    if manifest is None:
        return f"{write.kind}/{write.name}"
    return f"{manifest['kind']}/{manifest['metadata']['name']}"
