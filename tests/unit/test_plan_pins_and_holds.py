"""Pin and Hold: what lasts until somebody takes it back, or its time is over."""

from datetime import timedelta

import pytest

from pennant_operator.decide.seen.observed import Absent, Unknown
from pennant_testing.memory.object_builders import NOW, version
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import stays_pending

pytestmark = pytest.mark.unit


def told(sim: Simulation, name: str) -> tuple[str, str]:
    status = sim.actions[name]["status"]
    return status["state"], status["message"]


def in_minutes(sim: Simulation, minutes: float) -> str:
    return (sim.now + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def pinned(sim: Simulation, number: int, **spec: str) -> str:
    """A person pins a version."""
    return sim.act("Pin", version=str(number), **spec)


def test_a_pinned_version_serves_whatever_the_alias_says():
    sim = serving(8)
    name = pinned(sim, 7, reason="bad answers")
    sim.run(6)
    assert sim.serving == "7"
    assert sim.condition("AliasInSync") == ("True", "Pinned")
    said = "RolloutAction pin (bad answers) pins version 7, which serves"
    assert sim.message("AliasInSync").startswith(said)
    assert told(sim, name) == ("Active", "version 7 serves")


def test_who_pins_is_told_only_where_the_api_server_checked_it():
    sim = serving(8)
    pinned(sim, 7, actor="jane@example.com")
    sim.run(6)
    assert "jane" not in sim.message("AliasInSync")
    sim.actors_checked = True
    sim.step()
    assert "RolloutAction pin (of jane@example.com) pins version 7" in sim.message("AliasInSync")


def test_a_pin_ends_to_the_second_and_the_alias_counts_again():
    sim = serving(8)
    name = pinned(sim, 7, expiresAt=in_minutes(sim, 30))
    sim.run(6)
    sim.now += timedelta(minutes=10)
    decision = sim.run(4)
    left = (NOW.fromisoformat(sim.actions[name]["spec"]["expiresAt"]) - sim.now).total_seconds()
    assert decision.requeue_after == pytest.approx(left + 1)
    sim.now += timedelta(seconds=left)
    sim.desired = version(8)
    sim.run(6)
    assert sim.serving == "8"
    assert told(sim, name)[0] == "Expired"


def test_a_pin_that_is_deleted_ends_at_once():
    sim = serving(8)
    pinned(sim, 7)
    sim.run(6)
    sim.actions.clear()
    sim.desired = version(8)
    sim.run(6)
    assert (sim.serving, sim.condition("AliasInSync")) == ("8", ("True", "InSync"))


def test_a_pin_on_a_version_that_served_here_needs_no_registry():
    sim = serving(7)
    sim.desired = version(8)
    sim.run(6)
    sim.now += timedelta(minutes=5)
    sim.run(3)
    sim.act("Pin", version="7")
    sim.desired = Unknown("RegistryUnreachable", "it does not answer", NOW)
    sim.run(6)
    assert sim.serving == "7"


def test_a_pin_that_does_not_resolve_is_not_realised_and_says_so():
    sim = serving(7)
    name = sim.act("Pin", version="9")
    cure = "correct spec.model.version"
    sim.desired = Absent("VersionNotFound", f"there is no version 9: {cure}")
    sim.run(3)
    assert sim.serving == "7"
    assert sim.condition("Reconciling") == ("True", "WaitingForVersion")
    assert sim.condition("AliasInSync") == ("False", "VersionNotFound")
    assert "delete the RolloutAction" in sim.message("AliasInSync")
    assert cure not in sim.message("AliasInSync")
    assert told(sim, name)[0] == "Active"
    assert "does not serve yet" in told(sim, name)[1]


def test_of_two_pins_the_newer_counts_and_then_the_older_again():
    sim = serving(8)
    older = sim.act("Pin", name="a", version="7")
    sim.now += timedelta(seconds=1)
    newer = pinned(sim, 9)
    sim.run(6)
    assert sim.serving == "9"
    assert told(sim, older)[0] == "Pending"
    assert f"RolloutAction {newer} is newer" in told(sim, older)[1]
    del sim.actions[newer]
    sim.desired = version(7)
    sim.run(6)
    assert (sim.serving, told(sim, older)[0]) == ("7", "Active")


def test_a_hold_lets_nothing_new_out_and_takes_back_what_comes_up():
    sim = alias_moved(pods=stays_pending)
    sim.run(3)
    assert sum(sim.sizes().values()) == 4
    name = sim.act("Hold", reason="freeze")
    sim.run(3)
    assert sum(sim.sizes().values()) == 2
    assert (sim.serving, sim.status["summary"]) == ("7", "Held")
    assert sim.condition("AliasInSync") == ("False", "HeldByAction")
    assert sim.condition("Reconciling")[0] == "False"
    assert "while RolloutAction hold (freeze) is there" in sim.message("AliasInSync")
    assert told(sim, name) == ("Active", "nothing new is rolled out")
    assert "rejected" not in sim.status


def test_a_hold_that_ends_lets_it_go_out_by_itself():
    sim = alias_moved()
    sim.act("Hold", expiresAt=in_minutes(sim, 5))
    sim.run(3)
    assert sim.serving == "7"
    sim.now += timedelta(minutes=5)
    sim.run(6)
    assert sim.serving == "8"


def test_under_a_hold_a_changed_spec_is_not_said_to_be_realised():
    sim = serving(7)
    sim.act("Hold")
    sim.specify(serving={"env": [{"name": "A", "value": "b"}]})
    sim.run(3)
    assert sim.condition("Reconciling") == ("True", "HeldByAction")


def test_a_hold_keeps_what_serves_when_the_alias_goes():
    sim = serving(7, onAliasRemoved="ScaleDown")
    sim.act("Hold")
    sim.desired = Absent("AliasNotSet", "the alias is not set")
    sim.run(3)
    assert sim.serving == "7"


def test_a_pin_goes_before_a_hold_which_holds_what_is_new_of_it():
    sim = serving(8)
    hold = sim.act("Hold")
    pinned(sim, 7)
    sim.run(6)
    assert sim.serving == "7"
    assert told(sim, hold) == ("Active", "nothing new is rolled out but version 7, which is pinned")
    sim.specify(serving={"env": [{"name": "A", "value": "b"}]})
    before = sim.active
    sim.run(4)
    assert sim.active == before
    assert sim.condition("AliasInSync") == ("False", "HeldByAction")


def test_suspend_goes_before_a_pin():
    sim = serving(8)
    sim.specify(suspend=True)
    pinned(sim, 7)
    sim.run(4)
    assert sim.serving == "8"
    assert sim.condition("AliasInSync") == ("False", "Suspended")


def test_actions_that_are_told_cost_no_further_write():
    sim = serving(7)
    sim.act("Hold")
    sim.run(3)
    sim.writes.clear()
    status = sim.status
    sim.run(5)
    assert (sim.writes, sim.status) == ([], status)


@pytest.mark.parametrize("state", ["Done", "Refused", "Expired"])
def test_a_finished_pin_counts_no_more(state: str):
    sim = serving(7)
    name = sim.act("Pin", version="8")
    sim.actions[name]["status"] = {"state": state, "message": "over", "time": in_minutes(sim, 0)}
    sim.run(3)
    assert sim.condition("AliasInSync") == ("True", "InSync")
