"""What somebody holds in the registry does not begin; what has begun, and the way back, go on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_operator.decide.seen.observed import Unknown
from pennant_registry.gates import VersionFacts
from pennant_registry.hold_form import Holds, hold_text, holds_among, read_hold
from pennant_testing.memory.object_builders import NOW, model_deployment, version
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import fails, hangs

pytestmark = pytest.mark.unit

KEY = "pennant.hold.production"
BY_ANN = '{"by": "ann@laptop", "reason": "incident 12", "since": "2026-11-21T11:00:00Z"}'
SILENT = Unknown("RegistryUnreachable", "it does not answer", NOW)
NOT_ASKED = Unknown("WaitingForRegistry", "not asked yet")


def holds(text: str = BY_ANN, version: str = "", **others: str) -> Holds:
    """By a tag of the alias, or of one version of it; the others' keys are `_9` and such."""
    tags = {f"{KEY}.{version}" if version else KEY: text}
    return holds_among(tags | {f"{KEY}.{k[1:]}": v for k, v in others.items()}, "production")


def held(by: Holds) -> Simulation:
    """Version 7 serves, somebody holds the alias or 8, and the alias points at 8."""
    sim = alias_moved()
    sim.holds = by
    sim.run(4)
    return sim


def test_a_version_that_is_on_hold_gets_no_pod_and_what_serves_goes_on():
    sim = held(holds())
    assert (sim.serving, sim.writes) == ("7", [])
    assert sim.status["summary"] == "Held"
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.condition("Stalled") == ("False", "NotStalled")
    assert sim.condition("Reconciling") == ("False", "Settled")
    assert sim.condition("AliasInSync") == ("False", "HeldInRegistry")
    assert sim.message("AliasInSync") == (
        "alias production points at version 8, which is held in the registry by ann@laptop since"
        " 2026-11-21T11:00:00Z: incident 12; to let it go, delete the registered model's tag"
        " pennant.hold.production, or call pennant_registry.release; version 7 goes on serving"
    )
    assert sim.status["hold"] == {
        "tag": KEY,
        "by": "ann@laptop",
        "reason": "incident 12",
        "since": "2026-11-21T11:00:00Z",
    }


def test_it_is_announced_once_and_then_nothing_changes():
    sim = held(holds())
    before = sim.status
    sim.run(20, 60)
    assert sim.status == before
    (event,) = [each for each in sim.events if each.reason == "RolloutHeld"]
    assert event.message.startswith("HeldInRegistry: alias production points at version 8")


@pytest.mark.parametrize("released", [Holds(), holds('{"except": ["8"]}')])
def test_released_or_let_through_it_rolls_out_and_the_status_holds_nothing(released: Holds):
    sim = held(holds())
    sim.holds = released
    sim.run(8)
    assert sim.serving == "8"
    assert "hold" not in sim.status
    assert sim.condition("AliasInSync") == ("True", "InSync")


def test_a_hold_ends_to_the_second_by_itself():
    until = NOW + timedelta(hours=10)
    sim = alias_moved()
    sim.holds = holds(hold_text(replace(read_hold(BY_ANN), until=until)))
    decision = sim.run(4)
    assert decision.requeue_after == (until - sim.now).total_seconds() + 1  # a step took one
    sim.now = until - timedelta(seconds=1)
    sim.step(1)
    assert sim.writes == []
    sim.run(8)
    assert sim.serving == "8"


def test_a_rollout_that_has_begun_goes_on():
    sim = alias_moved(pods=hangs)
    sim.run(3)
    sim.holds = holds()
    sim.behaviour.clear()
    sim.run(3)
    assert sim.condition("AliasInSync")[1] in {"RollingOut", "InSync"}
    sim.run(6)
    assert sim.serving == "8"


def test_an_older_version_that_served_here_comes_back_while_the_alias_is_on_hold():
    sim = served_7_and_8()
    sim.holds, sim.desired = holds(), version(7)
    sim.run(8)
    assert sim.serving == "7"


def test_and_the_newer_one_does_not_go_out_over_it_although_it_served_here_too():
    sim = served_7_and_8()
    sim.desired = version(7)
    sim.run(3)
    assert sim.serving == "7"
    sim.holds, sim.desired = holds(), version(8)
    sim.run(8)
    assert sim.serving == "7"
    assert sim.condition("AliasInSync") == ("False", "HeldInRegistry")


def test_a_version_that_was_rolled_back_from_does_not_come_back_and_others_go_out():
    sim = served_7_and_8()
    sim.holds, sim.desired = holds("rolled back", "8"), version(7)
    sim.run(3)
    sim.desired = version(8)  # a nightly job; its pods are still warm
    sim.run(8)
    assert sim.serving == "7"
    assert "tag pennant.hold.production.8" in sim.message("AliasInSync")
    assert sim.status["hold"]["version"] == "8"
    sim.desired = version(9)
    sim.run(8)
    assert sim.serving == "9"


def test_a_version_that_serves_is_not_taken_down_by_a_hold_on_it_nor_kept_from_a_change_of_spec():
    sim = serving(8)
    sim.holds = holds("bad", "8")
    sim.specify(serving={"env": [{"name": "A", "value": "b"}]})
    sim.run(8)
    assert sim.condition("AliasInSync") == ("True", "InSync")
    assert sim.condition("Reconciling") == ("False", "Settled")


def test_what_is_pinned_follows_no_alias_and_is_not_held():
    sim = serving(7)
    sim.holds = holds(_8="bad")
    sim.specify(model={"name": "news", "version": "8"})
    sim.desired = version(8)
    sim.run(8)
    assert sim.serving == "8"


def test_the_first_version_is_held_too():
    sim = Simulation(version(7), owner=model_deployment())
    sim.holds = holds("not before the launch")
    sim.run(4)
    assert sim.active is None
    assert sim.condition("Ready") == ("False", "NothingServedYet")
    assert sim.condition("Stalled") == ("False", "NotStalled")
    assert "version 7 is held in the registry: not before the launch" in sim.message("Ready")


@pytest.mark.parametrize("silence", [SILENT, NOT_ASKED])
def test_a_restart_while_the_registry_is_silent_ends_no_hold(silence: Unknown):
    """What was rejected could be tried with another spec: its record has all it needs."""
    sim = alias_moved(pods=fails("LoadFailed"))
    sim.run(12)
    sim.holds = holds()
    sim.run(2)
    assert sim.status["hold"]["reason"] == "incident 12"
    sim.desired, sim.holds = silence, None
    sim.behaviour.clear()
    sim.specify(serving={"env": [{"name": "A", "value": "b"}]})
    sim.run(8)
    assert sim.serving == "7"
    assert sim.status["hold"]["reason"] == "incident 12"
    sim.desired, sim.holds = version(8), Holds()
    sim.run(8)
    assert sim.serving == "8"


def test_a_registry_that_comes_and_goes_writes_nothing_about_a_hold():
    sim = held(holds())
    before = sim.status
    for desired, on_hold in ((NOT_ASKED, None), (version(8), sim.holds), (NOT_ASKED, sim.holds)):
        sim.desired, sim.holds = desired, on_hold
        sim.run(3)
        assert sim.status == before


def test_a_status_of_another_alias_holds_nothing_of_this_one():
    sim = held(holds())
    sim.specify(model={"name": "news", "alias": "canary"})
    sim.holds = None
    sim.run(8)
    assert sim.serving == "8"


def test_a_hold_is_named_before_suspension_and_gates_and_a_rejection_before_it():
    sim = alias_moved()
    sim.specify(suspend=True)
    sim.holds = holds()
    sim.run(4)
    assert sim.condition("AliasInSync") == ("False", "Suspended")
    assert "held in the registry by ann@laptop" in sim.message("AliasInSync")
    assert "; spec.suspend is true, too; " in sim.message("AliasInSync")
    sim.specify(suspend=False, gates={"tags": [{"key": "approved"}]})
    sim.facts = {"8": VersionFacts("8", {}, {})}
    sim.run(2)
    assert sim.condition("AliasInSync") == ("False", "HeldInRegistry")
    sim.holds = Holds()
    sim.run(2)
    assert sim.condition("AliasInSync") == ("False", "GateNotPassed")
    sim = alias_moved(pods=fails("LoadFailed"))
    sim.run(12)
    sim.holds = holds()
    sim.run(2)
    assert sim.condition("AliasInSync") == ("False", "Rejected")


def test_a_change_of_the_spec_waits_with_the_version_that_is_on_hold():
    sim = held(holds())
    sim.specify(serving={"env": [{"name": "A", "value": "b"}]})
    sim.run(4)
    assert sim.condition("Reconciling") == ("True", "HeldInRegistry")
    assert sim.serving == "7"


def served_7_and_8() -> Simulation:
    """Both served, 8 does, and 7 is still warm."""
    sim = alias_moved()
    sim.run(6)
    assert sim.serving == "8"
    sim.writes.clear()
    return sim
