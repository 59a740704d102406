"""Law 8: whatever becomes of any one request, the same end is reached.

Each story is told once undisturbed, then once for each of its requests and each fate; all of them
begin where the story before it ended.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_operator.decide.seen.observed import Absent, Turn, Unknown
from pennant_registry.gates import VersionFacts
from pennant_registry.hold_form import Hold, Holds
from pennant_testing.memory.disturbed_stories import Stories, Story, first, look
from pennant_testing.memory.fallible_operator import FallibleOperator
from pennant_testing.memory.object_builders import NOW, REGISTRY, version
from pennant_testing.memory.simulated_answers import answered
from pennant_testing.memory.simulated_pods import becomes_ready, crashed, fails, stays_pending

pytestmark = pytest.mark.unit


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


# What a story begins after, the version that serves at its end, and what is said then.
ROWS: dict[Story, tuple[Story | None, str, str]] = {
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
}
STORIES = Stories(ROWS)


@pytest.mark.parametrize("story", ROWS, ids=lambda story: story.__name__)
def test_every_story_ends_the_same_whatever_becomes_of_a_request(story):
    STORIES.ends_the_same_whatever_becomes_of_a_request(story)
