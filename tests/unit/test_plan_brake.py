"""While a registry's brake holds nothing begins; what has begun goes on, and all of it is known
to whoever looks next.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pennant_operator.decide.seen.observed import Absent, Unknown
from pennant_testing.memory.object_builders import NOW, REGISTRY, version
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import crashed, hangs

pytestmark = pytest.mark.unit

GONE = Absent("AliasNotSet", "the alias 'production' of 'news' points at no version")
NO_MODEL = Absent("ModelNotFound", "there is no such model")


def braked(sim: Simulation, *, on: bool = True) -> Simulation:
    sim.registry = replace(REGISTRY, braked=on)
    return sim


def test_a_version_that_is_stopped_gets_no_pod_and_what_serves_goes_on():
    sim = braked(alias_moved())
    sim.run(4)
    assert sim.writes == []
    assert sim.serving == "7"
    assert sim.status["summary"] == "Held"
    assert sim.status["desired"]["version"] == "8"
    assert sim.status["beforeBrake"]["version"] == "7"
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.condition("Stalled") == ("False", "NotStalled")
    assert sim.condition("AliasInSync") == ("False", "Braked")
    assert sim.message("AliasInSync") == (
        "alias production points at version 8, which is not rolled out: the brake of ModelRegistry "
        "default holds: too many aliases moved or vanished at once, as when a database is restored "
        "or emptied; its condition Braked says which, and what ends it (kubectl describe "
        "modelregistry default, in the operator's namespace); version 7 goes on serving"
    )
    assert [event.reason for event in sim.events] == ["AliasMoved", "RolloutHeld"]


def test_nothing_is_written_while_it_lasts_and_it_is_rolled_when_it_ends():
    sim = braked(alias_moved())
    sim.run(4)
    before = sim.status
    sim.run(4, seconds=3600)
    assert sim.status == before
    braked(sim, on=False)
    sim.run(6)
    assert sim.serving == "8"
    assert "beforeBrake" not in sim.status


def test_it_is_over_as_well_when_the_alias_is_where_it_was():
    sim = braked(alias_moved())
    sim.run(2)
    sim.desired = version(7)
    sim.run(2)
    assert sim.writes == []
    assert "beforeBrake" not in sim.status
    assert sim.condition("AliasInSync") == ("True", "InSync")
    assert sim.status["summary"] == "Serving"


def test_going_back_to_a_version_that_was_good_begins_no_more_than_another():
    sim = serving(6)
    sim.desired = version(7)
    sim.run(6)
    sim.run(3, seconds=120)
    sim.writes.clear()
    sim.desired = version(6)
    braked(sim).run(4)
    assert sim.writes == []
    assert (sim.serving, sim.status["summary"]) == ("7", "Held")


def test_what_had_begun_goes_on_wherever_its_alias_went():
    sim = alias_moved()
    sim.run(1)
    sim.desired = version(9)
    braked(sim).run(6)
    assert sim.serving == "8"
    assert sim.condition("AliasInSync") == ("False", "Braked")


def test_a_crash_in_the_bake_goes_back_all_the_same():
    sim = alias_moved()
    sim.run(4)
    assert sim.serving == "8"
    sim.behaviour["8"] = crashed(sim.now)
    braked(sim).run(6)
    assert sim.serving == "7"
    assert sim.status["rejected"][0]["reason"] == "CrashedInBake"


@pytest.mark.parametrize("gone", [GONE, NO_MODEL])
@pytest.mark.parametrize("removed", ["ScaleDown", "Keep"])
def test_an_alias_that_vanished_with_others_takes_nothing_down(gone: Absent, removed: str):
    sim = serving(7, onAliasRemoved=removed)
    sim.desired = gone
    braked(sim).run(4)
    assert sim.writes == []
    assert (sim.serving, sim.status["summary"]) == ("7", "Held")
    assert sim.condition("AliasInSync") == ("False", "Braked")
    assert sim.status["beforeBrake"]["version"] == "7"
    before = sim.status
    sim.run(3, seconds=600)
    assert sim.status == before
    sim.desired = version(7)
    sim.run(2)
    assert sim.writes == []
    assert sim.condition("AliasInSync") == ("True", "InSync")
    assert "beforeBrake" not in sim.status


def test_an_alias_that_vanished_while_another_version_was_pinned_takes_nothing_down():
    sim = serving(7, onAliasRemoved="ScaleDown")
    pin = sim.act("Pin", version="7")
    sim.run(2)
    sim.desired = GONE
    del braked(sim).actions[pin]
    sim.writes.clear()
    sim.run(6)
    assert (sim.serving, sim.writes) == ("7", [])
    braked(sim, on=False).run(4)
    assert sim.serving is None


def test_what_was_removed_is_scaled_down_once_a_person_lets_it_go_on():
    sim = serving(7, onAliasRemoved="ScaleDown")
    sim.desired = GONE
    braked(sim).run(3)
    braked(sim, on=False).run(4)
    assert sim.serving is None
    assert sim.condition("Ready") == ("False", "ScaledDown")


def test_a_change_of_the_pods_of_what_serves_is_no_move():
    sim = serving(7)
    sim.specify(serving={"env": [{"name": "A", "value": "b"}]})
    braked(sim).run(6)
    assert sim.condition("AliasInSync") == ("True", "InSync")
    assert sim.status["serving"]["revision"] != sim.status["history"][1]["revision"]


@pytest.mark.parametrize(("pinned", "rolls"), [(6, True), (8, False)])
def test_a_pin_counts_on_what_ran_here_only(pinned: int, rolls: Any):
    sim = serving(6)
    sim.desired = version(7)
    sim.run(6)
    sim.run(3, seconds=120)
    sim.specify(model={"name": "news", "version": str(pinned)})
    sim.desired = version(pinned)
    braked(sim).run(6)
    assert (sim.serving == str(pinned)) == rolls
    assert (sim.status["summary"] == "Held") != rolls


def test_where_an_alias_was_is_known_however_often_the_operator_starts_and_hears_nothing():
    sim = braked(alias_moved())
    sim.run(2)
    for silence in (
        Unknown("WaitingForRegistry", "not asked yet"),
        Unknown("RegistryUnreachable", "no answer", NOW),
    ):
        sim.desired = silence
        sim.run(2)
        assert sim.status["beforeBrake"]["version"] == "7"
    sim.desired = version(9)
    sim.run(2)
    assert sim.status["beforeBrake"]["version"] == "7"
    assert sim.serving == "7"


def test_what_is_tried_again_goes_on():
    sim = alias_moved(pods=hangs)
    sim.run(4)
    sim.run(4, seconds=300)
    assert sim.status["candidate"]["attempts"]
    sim.behaviour.clear()
    braked(sim).run(6, seconds=30)
    assert sim.serving == "8"
