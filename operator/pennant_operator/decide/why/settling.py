"""What `plan` makes of a world in which something is otherwise: look after look, until it rests or
something is to be written.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pennant_operator.decide.intent import ActionReport, ActionStatus
from pennant_operator.decide.plan import plan, wanted_reports
from pennant_operator.decide.seen.actions import RolloutAction, parse_actions
from pennant_operator.decide.seen.answers import Reports
from pennant_operator.decide.seen.memory import Memory
from pennant_operator.decide.seen.observed import Observed
from pennant_operator.decide.vocabulary import Condition, Reason
from pennant_operator.decide.why.pods import in_trouble, stuck

LOOKS = 8  # at one world, at most; three record what a person asked, and begin it
REACHED = {Reason.IN_SYNC, Reason.PINNED}


@dataclass(frozen=True)
class Moment:
    """A world, the time in it, and the status that it has come to."""

    seen: Observed
    now: datetime

    @property
    def memory(self) -> Memory:
        """Its status."""
        return Memory(self.seen.owner.get("status") or {})

    @property
    def reason(self) -> str:
        """Why what serves is not what is desired."""
        return str(self.memory.condition(Condition.ALIAS_IN_SYNC).get("reason", ""))

    @property
    def message(self) -> str:
        """The same in words."""
        return str(self.memory.condition(Condition.ALIAS_IN_SYNC).get("message", ""))

    @property
    def comes_up(self) -> bool:
        """The desired version is on its way."""
        candidate, wanted = self.memory.candidate, self.memory.desired.get("version")
        here = bool(candidate) and "retryTime" not in candidate
        return here and candidate["version"] == wanted and self.reason != Reason.REJECTED

    @property
    def arrives(self) -> bool:
        """The desired version has the traffic, or is on its way there."""
        if self.reason in REACHED:
            return True
        candidate = self.memory.candidate
        hindered = stuck(self.seen, candidate, self.now) or in_trouble(self.seen, candidate)
        return self.comes_up and self.reason == Reason.ROLLING_OUT and not hindered


def settled(moment: Moment) -> Moment:
    """Where it comes to by the operator's own looks, before the cluster does anything."""
    seen, now = moment.seen, moment.now
    for _ in range(LOOKS):
        question = wanted_reports(seen, now)
        if question is not None:  # nobody is asked here: what cannot be known stops nothing
            seen = replace(seen, reports=Reports(question.about, unread="nobody asked"))
        decided = plan(seen, now)
        if decided.status is not None:
            seen = replace(seen, owner=seen.owner | {"status": decided.status})
        seen = replace(seen, actions=_after(seen.actions, decided.reports))
        if decided.writes or decided.status is None or decided.requeue_after != 0.0:
            break
    return Moment(seen, now)


def _after(
    actions: tuple[RolloutAction, ...], reports: Iterable[ActionReport]
) -> tuple[RolloutAction, ...]:
    statuses: dict[str, dict[str, Any]] = {
        each.action["metadata"]["uid"]: each.action | {"status": each.status}
        for each in reports
        if isinstance(each, ActionStatus)
    }
    if not statuses:
        return actions
    return parse_actions(statuses.get(each.uid, each.obj) for each in actions)
