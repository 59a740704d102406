"""Law 8 by strategy: whatever becomes of any one request, the same end is reached."""

import pytest

from pennant_testing.memory.disturbed_stories import REHEARSING, Stories, Story, first, look
from pennant_testing.memory.fallible_operator import FallibleOperator
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_answers import answered
from pennant_testing.memory.simulated_pods import fails

pytestmark = pytest.mark.unit

CANARY = {
    "bake": "2m",
    "strategy": "Canary",
    "canary": {"steps": [{"weight": "10", "pause": "30s"}, {"weight": "60", "pause": "30s"}]},
}


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
    look(operator, 14, seconds=3)


def recreated_in_vain(operator: FallibleOperator) -> None:
    operator.world.behaviour["8"] = fails("LoadFailed")
    recreated(operator)


# What a story begins after, the version that serves at its end, and what is said then.
ROWS: dict[Story, tuple[Story | None, str, str]] = {
    first: (None, "7", "Serving"),
    rolled: (first, "8", "Serving"),
    back_in_the_roll: (first, "7", "Serving"),
    at_a_step_of_a_canary: (first, "7", "RollingOut"),
    through_the_steps: (at_a_step_of_a_canary, "8", "Baking"),
    skipped_and_promoted: (at_a_step_of_a_canary, "8", "Baking"),
    failing_in_canary: (at_a_step_of_a_canary, "7", "Rejected"),
    superseded_in_canary: (at_a_step_of_a_canary, "7", "Serving"),
    copied_to_a_challenger: (first, "7", "Serving"),
    copied_no_more: (copied_to_a_challenger, "7", "Serving"),
    recreated: (first, "8", "Serving"),
    recreated_in_vain: (first, "7", "Rejected"),
}
STORIES = Stories(ROWS)


@pytest.mark.parametrize("story", [*ROWS][1:], ids=lambda story: story.__name__)
def test_every_story_ends_the_same_whatever_becomes_of_a_request(story):
    STORIES.ends_the_same_whatever_becomes_of_a_request(story)
