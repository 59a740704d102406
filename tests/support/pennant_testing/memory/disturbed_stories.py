"""Law 8: a story told once undisturbed, then once for each of its requests and each fate of it.

All of them begin where the story before it ended.
"""

import copy
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from pennant_testing.memory.fallible_operator import FallibleOperator, Fate
from pennant_testing.memory.object_builders import model_deployment, version
from pennant_testing.memory.simulated_cluster import Simulation

DISTURBANCES = [fate for fate in Fate if fate is not Fate.ANSWERED]
REHEARSING = {"bake": "2m", "rehearsal": {}}
Story = Callable[[FallibleOperator], None]


def look(operator: FallibleOperator, times: int, seconds: float = 1) -> None:
    """The operator and the cluster work hand in hand."""
    for _ in range(times):
        operator.reconcile()
        operator.world.work()
        operator.hear()
        operator.world.now += timedelta(seconds=seconds)


def first(operator: FallibleOperator) -> None:
    look(operator, 8)


class Stories:
    """By what each begins after, the version that serves at its end, and what is said then."""

    def __init__(self, rows: Mapping[Story, tuple[Story | None, str, str]]) -> None:
        self._rows = rows
        self._played: dict[Story, FallibleOperator] = {}

    def ends_the_same_whatever_becomes_of_a_request(self, story: Story) -> None:
        """Raises AssertionError."""
        undisturbed, (_, *last) = self._undisturbed(story), self._rows[story]
        wanted = end(undisturbed)
        assert [wanted["serving"], wanted["summary"]] == last
        for number in range(undisturbed.sent - self._begun(story).sent):
            for fate in DISTURBANCES:
                disturbed = end(self._disturbed(story, number, fate))
                assert disturbed == wanted, f"request {number}: {fate.value}"

    def _undisturbed(self, story: Story) -> FallibleOperator:
        """The operator after a story and all before it; nobody goes on with this one."""
        if story not in self._played:
            operator = self._begun(story)
            story(operator)
            self._played[story] = operator
        return self._played[story]

    def _begun(self, story: Story) -> FallibleOperator:
        """One whose story begins now."""
        before = self._rows[story][0]
        return (
            FallibleOperator(Simulation(version(7), owner=model_deployment(rollout=REHEARSING)))
            if before is None
            else copy.deepcopy(self._undisturbed(before))
        )

    def _disturbed(self, story: Story, number: int, fate: Fate) -> FallibleOperator:
        operator = self._begun(story)
        operator.fates[operator.sent + number] = fate
        story(operator)
        return operator


def end(operator: FallibleOperator) -> dict[str, Any]:
    """Where a story ends, without the times."""
    status = operator.world.status
    return {
        "serving": operator.world.serving,
        "summary": status["summary"],
        "sizes": operator.world.sizes(),
        "conditions": [(c["type"], c["status"], c["reason"]) for c in status["conditions"]],
        "rejected": [(e["version"], e["reason"]) for e in status.get("rejected", ())],
        "history": [(e["version"], e["result"]) for e in status["history"]],
        "actions": {n: a["status"]["state"] for n, a in operator.world.actions.items()},
        "answers": status.get("answers"),
        "canary": {k: v for k, v in status.get("canary", {}).items() if k != "since"},
        "mirror": status.get("mirror"),
        "shares": {s: {pod.shares for pod in pods} for s, pods in operator.world.pods.items()},
        "services": {key for key in operator.world.children if key.startswith("Service/")},
        "pins": operator.world.children.get("ConfigMap/rec-digests", {}).get("data"),
    }
