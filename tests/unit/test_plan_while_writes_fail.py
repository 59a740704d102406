"""What is in sync is so, and said, while writes fail."""

import pytest

from pennant_operator.decide.seen.observed import (
    Absent,
)
from pennant_operator.decide.status.stalled import hindered_plan
from pennant_testing.memory.edited_situations import CANARY, MEMORY
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.silences import (
    NOT_ASKED,
    moved_to_8,
)
from pennant_testing.memory.simulated_cluster import Simulation

pytestmark = pytest.mark.unit


def synced_while_writes_fail(sim: Simulation) -> tuple[str, str]:
    status = hindered_plan(sim.observe(), "500 InternalError", sim.now).status or {}
    condition = next(c for c in status["conditions"] if c["type"] == "AliasInSync")
    return condition["status"], condition["reason"]


def test_what_is_in_sync_is_so_while_writes_fail():
    sim = moved_to_8()
    assert synced_while_writes_fail(sim) == ("True", "InSync")
    sim.specify(replicas=5)
    sim.desired = NOT_ASKED
    assert synced_while_writes_fail(sim) == ("True", "InSync")


@pytest.mark.parametrize(
    ("edit", "desired"),
    [
        (CANARY, NOT_ASKED),
        (CANARY, version(9)),
        (MEMORY, NOT_ASKED),
        (MEMORY, version(8)),
        ({"model": {"name": "a/b", "alias": "x"}}, NOT_ASKED),
        ({"replicas": 5}, Absent("AliasNotSet", "the alias points at no version")),
    ],
    ids=[
        "another alias, silence",
        "another alias",
        "memory, silence",
        "memory",
        "not a model",
        "no alias",
    ],
)
def test_what_was_in_sync_before_something_changed_is_not_said_to_be_while_writes_fail(
    edit, desired
):
    sim = moved_to_8()
    sim.specify(**edit)
    sim.desired = desired
    assert synced_while_writes_fail(sim) == ("False", "WriteFailed")
