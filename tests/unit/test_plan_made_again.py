"""A model that was deleted and made again, whose version numbers mean other versions."""

import pytest

from pennant_operator.decide.seen.observed import (
    Unresolved,
)
from pennant_testing.memory.edited_situations import MEMORY
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.silences import (
    NOT_ASKED,
    SILENT,
    each_silence,
    memory_limit,
    moved_to_8,
)
from pennant_testing.memory.simulated_pods import fails

pytestmark = pytest.mark.unit


def test_of_a_model_that_was_made_again_the_newer_version_of_a_number_is_rolled():
    sim = moved_to_8()
    sim.desired = version(7, created=5000)
    sim.run(6)
    sim.run(3, seconds=120)
    sim.desired = SILENT
    sim.specify(**MEMORY)
    sim.run(6)
    serves = sim.records[sim.active[1]]
    assert (serves.version, serves.created) == ("7", 5000)


@each_silence
def test_an_older_version_of_a_number_that_was_made_later_rolls_nothing(silence):
    """The ModelRegistry got another server's address, whose version 8 is older than the first's."""
    sim = moved_to_8()
    sim.desired = version(8, created=500)
    sim.run(6)
    sim.run(3, seconds=120)
    assert sim.records[sim.active[1]].created == 500
    sim.desired = silence
    sim.writes.clear()
    sim.run(4)
    assert sim.writes == []
    sim.specify(**MEMORY)
    sim.run(6)
    assert (sim.records[sim.active[1]].created, memory_limit(sim)) == (500, "2Gi")


@each_silence
def test_an_old_version_of_a_number_is_not_rolled_for_one_whose_bytes_were_nowhere(silence):
    """The model was made again, and its version 7 cannot be resolved when the registry goes."""
    sim = moved_to_8()
    sim.desired = Unresolved("VersionNotResolved", "no such run", "7")
    sim.run(2)
    sim.writes.clear()
    sim.desired = silence
    sim.run(4)
    assert (sim.serving, sim.writes) == ("8", [])
    assert sim.condition("AliasInSync")[0] != "True"


def test_what_was_rejected_of_a_model_that_was_made_again_stays_so_in_silence():
    sim = moved_to_8()
    sim.behaviour["8"] = fails("LoadFailed")
    sim.desired = version(8, created=5000)
    sim.run(8)
    assert sim.condition("AliasInSync") == ("False", "Rejected")
    sim.desired = NOT_ASKED
    sim.run(4)
    assert sim.condition("AliasInSync") == ("False", "Rejected")
