"""Law 8: whatever becomes of any one request, the same end is reached.

Each story is told once undisturbed, then once for each of its requests and each fate; all of them
begin where the story before it ended.
"""

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from pennant_operator.decide.seen.observed import Absent, Turn, Unknown
from pennant_registry.gates import VersionFacts
from pennant_registry.hold_form import Hold, Holds
from pennant_testing.memory.fallible_operator import FallibleOperator, Fate
from pennant_testing.memory.object_builders import NOW, REGISTRY, model_deployment, version
from pennant_testing.memory.simulated_answers import answered
from pennant_testing.memory.simulated_cluster import Simulation
from pennant_testing.memory.simulated_pods import becomes_ready, crashed, fails, stays_pending

pytestmark = pytest.mark.unit

DISTURBANCES = [fate for fate in Fate if fate is not Fate.ANSWERED]
CANARY = {
    "bake": "2m",
    "strategy": "Canary",
    "canary": {"steps": [{"weight": "10", "pause": "30s"}, {"weight": "60", "pause": "30s"}]},
}
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


def moved(operator: FallibleOperator) -> None:
    operator.world.desired = version(8, tag=False)
    look(operator, 8)


def baked(operator: FallibleOperator) -> None:
    look(operator, 5, seconds=60)


def back_in_the_bake(operator: FallibleOperator) -> None:
    operator.world.desired = version(7)
    look(operator, 6)


def superseded(operator: FallibleOperator) -> None:
    operator.world.behaviour["8"] = stays_pending
    operator.world.desired = version(8)
    look(operator, 3)
    operator.world.desired = version(9)
    look(operator, 12)


def rejected(operator: FallibleOperator) -> None:
    operator.world.behaviour["8"] = fails("LoadFailed")
    operator.world.desired = version(8)
    look(operator, 12)


def held_and_retried(operator: FallibleOperator) -> None:
    operator.world.behaviour["8"] = stays_pending
    operator.world.desired = version(8)
    look(operator, 4, seconds=1000)
    operator.world.behaviour["8"] = becomes_ready
    look(operator, 16, seconds=61)


def held_in_the_registry(operator: FallibleOperator) -> None:
    operator.world.holds = Holds(Hold("incident 12", tag="pennant.hold.production"))
    operator.world.desired = version(8)
    look(operator, 4)


def forgotten_in_an_outage(operator: FallibleOperator) -> None:
    operator.world.holds = None
    operator.world.desired = Unknown("WaitingForRegistry", "not asked yet")
    look(operator, 4)


def released_in_the_registry(operator: FallibleOperator) -> None:
    operator.world.holds = Holds()
    look(operator, 8)


def crashed_in_bake(operator: FallibleOperator) -> None:
    operator.world.behaviour["8"] = crashed(operator.world.now)
    look(operator, 12)


def failing_in_bake(operator: FallibleOperator) -> None:
    operator.world.answers = {"7": answered(100), "8": answered(60, errors=60)}
    look(operator, 12)


def moved_by_answers(operator: FallibleOperator) -> None:
    operator.world.answers = {"7": answered(100, errors=30), "8": answered(60, errors=30)}
    operator.world.work()
    operator.hear()
    operator.world.desired = version(8)
    look(operator, 12)


def crashed_in_an_outage(operator: FallibleOperator) -> None:
    operator.world.desired = Unknown("RegistryUnreachable", "it does not answer", NOW)
    operator.world.behaviour["8"] = crashed(operator.world.now)
    look(operator, 12)


def scaled_to_zero_and_back(operator: FallibleOperator) -> None:
    operator.world.specify(replicas=0)
    look(operator, 4)
    operator.world.specify(replicas=3)
    look(operator, 8)


def pinned(operator: FallibleOperator) -> None:
    operator.world.act("Pin", version="7")
    operator.hear()
    look(operator, 8)


def pin_expired(operator: FallibleOperator) -> None:
    until = operator.world.now + timedelta(seconds=9)
    operator.world.act("Pin", version="7", expiresAt=until.strftime("%Y-%m-%dT%H:%M:%SZ"))
    operator.hear()
    look(operator, 24)


def aborted(operator: FallibleOperator) -> None:
    operator.world.behaviour["8"] = stays_pending
    operator.world.desired = version(8)
    look(operator, 3)
    operator.world.act("Abort")
    operator.hear()
    look(operator, 8)


def aborted_in_the_bake(operator: FallibleOperator) -> None:
    operator.world.act("Abort")
    operator.hear()
    look(operator, 10)


def retried(operator: FallibleOperator) -> None:
    del operator.world.behaviour["8"]
    operator.world.act("Retry")
    operator.hear()
    look(operator, 14)


def approved(operator: FallibleOperator) -> None:
    operator.world.specify(gates={"tags": [{"key": "approved"}]})
    operator.world.facts["8"] = VersionFacts("8", tags={})
    operator.world.desired = version(8)
    look(operator, 3)
    operator.world.act("Approve", version="8")
    operator.hear()
    look(operator, 12)


def braked_and_let_go(operator: FallibleOperator) -> None:
    operator.world.registry = replace(REGISTRY, braked=True)
    operator.world.desired = version(8)
    look(operator, 3)
    operator.world.registry = REGISTRY
    look(operator, 8)


def braked_and_put_right(operator: FallibleOperator) -> None:
    operator.world.registry = replace(REGISTRY, braked=True)
    operator.world.desired = Absent("AliasNotSet", "the alias is not set")
    look(operator, 3)
    operator.world.desired = version(7)
    look(operator, 3)
    operator.world.registry = REGISTRY
    look(operator, 3)


def waited_for_its_turn(operator: FallibleOperator) -> None:
    operator.world.turn = Turn(20, 3)
    operator.world.desired = version(8)
    look(operator, 3)
    operator.world.turn = Turn(19)
    look(operator, 8)


def rolled(operator: FallibleOperator) -> None:
    operator.world.specify(rollout=REHEARSING | {"strategy": "Rolling"})
    operator.world.desired = version(8, tag=False)
    look(operator, 12)


def back_in_the_roll(operator: FallibleOperator) -> None:
    operator.world.specify(replicas=4, rollout=REHEARSING | {"strategy": "Rolling"})
    look(operator, 2)
    operator.world.desired = version(8, tag=False)
    look(operator, 5)
    operator.world.desired = version(7)
    look(operator, 9)


def at_a_step_of_a_canary(operator: FallibleOperator) -> None:
    operator.world.answers = {"7": answered(100), "8": answered(60)}
    operator.world.specify(rollout=CANARY)
    operator.hear()
    operator.world.desired = version(8)
    look(operator, 6, seconds=2)


def through_the_steps(operator: FallibleOperator) -> None:
    look(operator, 14, seconds=15)


def skipped_and_promoted(operator: FallibleOperator) -> None:
    for action in ("Skip", "Promote"):
        operator.world.act(action)
        operator.hear()
        look(operator, 6)


def failing_in_canary(operator: FallibleOperator) -> None:
    operator.world.answers = {"7": answered(100), "8": answered(60, errors=60)}
    look(operator, 12)


def superseded_in_canary(operator: FallibleOperator) -> None:
    operator.world.desired = version(7)
    look(operator, 8)


def copied_to_a_challenger(operator: FallibleOperator) -> None:
    operator.world.specify(mirror={"to": "challenger", "percent": "10"})
    look(operator, 6)


def copied_no_more(operator: FallibleOperator) -> None:
    operator.world.specify(mirror=None)
    look(operator, 6)


def recreated(operator: FallibleOperator) -> None:
    operator.world.specify(rollout={**REHEARSING, "strategy": "Recreate"})
    operator.world.lacks.room = operator.world.owner["spec"]["replicas"]
    operator.world.desired = version(8, tag=False)
    look(operator, 11, seconds=4)


def recreated_in_vain(operator: FallibleOperator) -> None:
    operator.world.behaviour["8"] = fails("LoadFailed")
    recreated(operator)


# What a story begins after, the version that serves at its end, and what is said then.
STORIES: dict[Story, tuple[Story | None, str, str]] = {
    first: (None, "7", "Serving"),
    moved: (first, "8", "Baking"),
    baked: (moved, "8", "Serving"),
    back_in_the_bake: (moved, "7", "Baking"),
    superseded: (first, "9", "Baking"),
    rejected: (first, "7", "Rejected"),
    held_and_retried: (first, "8", "Serving"),
    held_in_the_registry: (first, "7", "Held"),
    forgotten_in_an_outage: (held_in_the_registry, "7", "Held"),
    released_in_the_registry: (held_in_the_registry, "8", "Baking"),
    crashed_in_bake: (moved, "7", "Rejected"),
    failing_in_bake: (moved, "7", "Rejected"),
    moved_by_answers: (first, "8", "Baking"),
    crashed_in_an_outage: (moved, "7", "Rejected"),
    scaled_to_zero_and_back: (first, "7", "Serving"),
    pinned: (baked, "7", "Baking"),
    pin_expired: (baked, "8", "Baking"),
    aborted: (first, "7", "Rejected"),
    aborted_in_the_bake: (moved, "7", "Rejected"),
    retried: (rejected, "8", "Baking"),
    approved: (first, "8", "Baking"),
    braked_and_let_go: (first, "8", "Baking"),
    braked_and_put_right: (first, "7", "Serving"),
    waited_for_its_turn: (first, "8", "Baking"),
    rolled: (first, "8", "Serving"),
    back_in_the_roll: (first, "7", "Serving"),
    recreated: (first, "8", "Serving"),
    recreated_in_vain: (first, "7", "Rejected"),
    at_a_step_of_a_canary: (first, "7", "RollingOut"),
    through_the_steps: (at_a_step_of_a_canary, "8", "Baking"),
    skipped_and_promoted: (at_a_step_of_a_canary, "8", "Baking"),
    failing_in_canary: (at_a_step_of_a_canary, "7", "Rejected"),
    superseded_in_canary: (at_a_step_of_a_canary, "7", "Serving"),
    copied_to_a_challenger: (first, "7", "Serving"),
    copied_no_more: (copied_to_a_challenger, "7", "Serving"),
}


@cache
def played(story: Story) -> FallibleOperator:
    """The operator after a story and all before it, undisturbed; nobody goes on with this one."""
    operator = begun(story)
    story(operator)
    return operator


def begun(story: Story) -> FallibleOperator:
    """One whose story begins now."""
    before = STORIES[story][0]
    return (
        FallibleOperator(Simulation(version(7), owner=model_deployment(rollout=REHEARSING)))
        if before is None
        else copy.deepcopy(played(before))
    )


def disturbed(story: Story, number: int, fate: Fate) -> FallibleOperator:
    operator = begun(story)
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


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_every_story_ends_the_same_whatever_becomes_of_a_request(story):
    undisturbed, (_, *last) = played(story), STORIES[story]
    wanted = end(undisturbed)
    assert [wanted["serving"], wanted["summary"]] == last
    for number in range(undisturbed.sent - begun(story).sent):
        for fate in DISTURBANCES:
            assert end(disturbed(story, number, fate)) == wanted, f"request {number}: {fate.value}"
