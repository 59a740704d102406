"""Only so many candidates of a registry come up at once; who waits says so, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_operator.decide.seen.observed import Turn
from pennant_testing.memory.object_builders import NOW, REGISTRY, model_deployment, version
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import crashed, stays_pending

pytestmark = pytest.mark.unit

FULL = Turn(others=20, ahead=11)


def in_line(turn: Turn = FULL) -> Simulation:
    sim = alias_moved()
    sim.turn = turn
    sim.run(3)
    return sim


def test_who_waits_gets_no_pod_and_says_what_for():
    sim = in_line()
    assert sim.writes == []
    assert sim.serving == "7"
    assert sim.status["summary"] == "Waiting"
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.condition("Reconciling") == ("True", "InLine")
    assert sim.condition("Stalled") == ("False", "NotStalled")
    assert sim.condition("AliasInSync") == ("False", "InLine")
    assert sim.message("AliasInSync") == (
        "alias production points at version 8, which waits for its turn since "
        f"{sim.status['line']['since']}, when 11 others came before it: 20 rollouts of "
        "ModelRegistry default may go on at once (its spec.maxConcurrentRollouts); it starts by "
        "itself, the oldest move first; version 7 goes on serving"
    )
    assert [event.reason for event in sim.events] == ["AliasMoved"]


def test_its_status_is_not_written_again_with_each_turn_of_the_others():
    sim = in_line()
    before = sim.status
    for ahead in (10, 5, 0):
        sim.turn = Turn(20, ahead)
        decision = sim.step(seconds=600)
        assert decision.status == before
        assert decision.requeue_after is None


def test_with_a_place_it_starts_and_is_in_no_line_any_more():
    sim = in_line()
    sim.turn = Turn(19, 0)
    decision = sim.step()
    assert decision.begins
    assert "line" not in sim.status
    sim.run(5)
    assert sim.serving == "8"


@pytest.mark.parametrize(
    ("others", "ahead", "begins"), [(19, 0, True), (18, 1, True), (18, 2, False)]
)
def test_who_came_before_starts_before(others: int, ahead: int, begins: bool):
    sim = in_line(Turn(others, ahead))
    assert (sim.serving == "8" or "candidate" in sim.status) == begins


def test_how_many_is_the_registrys_own_number():
    sim = alias_moved()
    sim.registry, sim.turn = replace(REGISTRY, max_rollouts=30), Turn(29)
    sim.run(5)
    assert sim.serving == "8"


def test_a_first_version_waits_like_any_other():
    sim = Simulation(version(7), owner=model_deployment())
    sim.turn = FULL
    sim.run(3)
    assert sim.writes == []
    assert sim.condition("Ready") == ("False", "NothingServedYet")
    assert sim.condition("Reconciling") == ("True", "InLine")


def test_who_has_a_place_keeps_it_for_another_version():
    sim = alias_moved()
    sim.step()
    sim.turn = FULL
    sim.desired = version(9)
    sim.run(12)
    assert sim.serving == "9"


def test_going_back_within_the_bake_needs_no_place():
    sim = alias_moved()
    sim.run(4)
    sim.turn = FULL
    sim.desired = version(7)
    sim.run(2)
    assert sim.serving == "7"


def test_a_crash_in_the_bake_goes_back_without_a_place():
    sim = alias_moved()
    sim.run(4)
    sim.turn = FULL
    sim.behaviour["8"] = crashed(sim.now)
    sim.run(6)
    assert sim.serving == "7"


def test_what_was_held_waits_for_a_place_and_remembers_how_often_it_was_tried():
    sim = alias_moved(pods=stays_pending, rollout={"bake": "2m", "deadlines": {"schedule": "1m"}})
    sim.run(3)
    sim.run(1, seconds=61)
    sim.run(3)
    attempts = sim.status["candidate"]["attempts"]
    assert attempts
    sim.turn = FULL
    sim.run(3, seconds=600)
    assert "candidate" not in sim.status
    assert sim.status["line"]["attempts"] == attempts
    assert not sum(size for slot, size in sim.sizes().items() if slot != sim.active[0])  # type: ignore[index]
    sim.turn = Turn()
    sim.step()
    sim.step()
    assert sim.status["candidate"]["attempts"] == attempts
    assert "line" not in sim.status


def test_its_place_in_line_is_that_of_its_first_move():
    sim = in_line()
    since = sim.status["line"]["since"]
    sim.now += timedelta(minutes=5)
    sim.desired = version(9)
    sim.run(2)
    assert sim.status["line"]["since"] == since


def test_who_goes_back_to_what_serves_leaves_the_line():
    sim = in_line()
    sim.desired = version(7)
    sim.run(2)
    assert "line" not in sim.status
    assert sim.condition("AliasInSync") == ("True", "InSync")


def test_that_a_rollout_begins_is_recorded_before_anything_of_it_is_made():
    sim = alias_moved()
    decision = sim.step()
    assert decision.begins
    assert decision.status is not None
    assert decision.status["candidate"]["version"] == "8"
    assert not sim.step().begins


def test_what_serves_comes_back_without_a_place():
    sim = serving(7)
    sim.turn = FULL
    sim.children.pop("Deployment/rec-blue")
    sim.run(4)
    assert sim.serving == "7"
    assert sim.now > NOW
