"""What people do to a rollout: RolloutActions, told over a cluster in memory."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_operator.decide.seen.observed import Absent, Unknown
from pennant_registry.gates import VersionFacts, parse
from pennant_testing.memory.object_builders import NOW, REGISTRY, version
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import fails, stays_pending

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


def held_by_a_gate() -> Simulation:
    sim = alias_moved()
    sim.specify(gates={"tags": [{"key": "approved"}]})
    sim.facts = {"8": VersionFacts("8", tags={})}
    sim.run(2)
    assert sim.status["summary"] == "Held"
    return sim


def test_what_is_approved_passes_its_gates():
    sim = held_by_a_gate()
    name = sim.act("Approve", version="8")
    sim.run(6)
    assert sim.serving == "8"
    assert told(sim, name) == ("Done", "version 8 passes its gates, all but closed ones")
    assert (sim.status["approved"]["version"], "action" in sim.status) == ("8", False)


def test_an_approval_is_of_one_version_and_waits_until_that_is_desired():
    sim = held_by_a_gate()
    name = sim.act("Approve", version="9")
    sim.run(3)
    assert (sim.serving, told(sim, name)[0]) == ("7", "Pending")
    sim.facts["9"] = VersionFacts("9", tags={})
    sim.desired = version(9)
    sim.run(6)
    assert (sim.serving, told(sim, name)[0]) == ("9", "Done")
    sim.facts["8"] = VersionFacts("8", tags={})
    sim.desired = version(8)
    sim.run(3)
    assert (sim.serving, "approved" in sim.status) == ("9", False)


def test_what_nobody_needs_for_a_day_expires():
    sim = held_by_a_gate()
    name = sim.act("Approve", version="9")
    sim.run(3)
    sim.now += timedelta(days=1)
    sim.step()
    assert told(sim, name)[0] == "Expired"


def test_no_approval_opens_a_closed_window():
    closed = {"closed": [{"cron": "0 0 * * *", "for": "23h"}]}
    sim = alias_moved()
    sim.specify(gates={**closed, "tags": [{"key": "approved"}]})
    sim.facts = {"8": VersionFacts("8", tags={})}
    sim.act("Approve", version="8")
    sim.run(4)
    assert (sim.serving, sim.status["summary"]) == ("7", "Held")
    assert "tag approved" not in sim.message("AliasInSync")


def test_an_approval_passes_the_gates_of_the_registry_too():
    sim = alias_moved()
    sim.registry = replace(REGISTRY, gates=parse({"tags": [{"key": "approved"}]}))
    sim.facts = {"8": VersionFacts("8", tags={})}
    sim.run(2)
    assert sim.serving == "7"
    sim.act("Approve", version="8")
    sim.run(6)
    assert sim.serving == "8"


def test_what_comes_up_is_aborted_and_rejected():
    sim = alias_moved(pods=stays_pending)
    sim.run(2)
    name = sim.act("Abort", reason="wrong data")
    sim.run(4)
    assert sum(sim.sizes().values()) == 2
    assert sim.status["rejected"][0]["reason"] == "Aborted"
    assert sim.status["rejected"][0]["message"] == "RolloutAction abort (wrong data) aborted it"
    assert told(sim, name) == ("Done", "version 8 is rejected")
    assert (sim.status["summary"], sim.serving) == ("Rejected", "7")


def test_an_abort_in_the_bake_takes_the_traffic_back():
    sim = alias_moved()
    sim.run(5)
    assert (sim.serving, sim.status["summary"]) == ("8", "Baking")
    sim.act("Abort", version="8")
    sim.run(4)
    assert (sim.serving, sim.status["summary"]) == ("7", "Rejected")


def test_what_the_abort_does_not_name_goes_on():
    sim = alias_moved(pods=stays_pending)
    sim.run(2)
    name = sim.act("Abort", version="9")
    sim.run(2)
    assert told(sim, name) == ("Refused", told(sim, name)[1])
    assert told(sim, name)[1].startswith("what comes up or bakes is version 8, revision ")
    assert sim.status["candidate"]["version"] == "8"


def test_there_is_nothing_to_abort_where_nothing_comes_up():
    sim = serving(7)
    name = sim.act("Abort")
    sim.run(2)
    assert told(sim, name)[0] == "Refused"
    sim.behaviour["8"] = stays_pending
    sim.desired = version(8)
    sim.run(3)
    assert sim.status["candidate"]["version"] == "8"


def test_what_the_traffic_goes_back_to_is_not_aborted():
    sim = alias_moved()
    sim.run(5)
    sim.desired = version(7)
    name = sim.act("Abort")
    sim.step()
    assert told(sim, name) == ("Refused", "the traffic goes back to version 7 already")


def test_a_rejected_version_is_tried_again_when_a_person_says_so():
    sim = alias_moved(pods=fails("LoadFailed"))
    sim.run(5)
    assert sim.status["summary"] == "Rejected"
    del sim.behaviour["8"]
    name = sim.act("Retry")
    sim.run(6)
    assert sim.serving == "8"
    assert told(sim, name) == ("Done", "version 8 is no longer rejected")
    assert "rejected" not in sim.status


def test_a_held_version_is_tried_again_at_once():
    sim = alias_moved(pods=stays_pending)
    sim.run(2, seconds=1000)
    sim.step()
    assert sim.status["summary"] == "Held"
    del sim.behaviour["8"]
    name = sim.act("Retry", version="8")
    sim.run(6)
    assert sim.serving == "8"
    assert told(sim, name) == ("Done", "version 8 is tried again now")


def test_there_is_nothing_to_retry_where_nothing_was_rejected():
    sim = serving(7)
    name = sim.act("Retry")
    sim.run(2)
    assert told(sim, name)[0] == "Refused"
    assert [e.reason for e in sim.events] == ["RolloutAction"]


def test_several_act_one_after_the_other_oldest_first():
    sim = alias_moved(pods=stays_pending)
    sim.run(2)
    sim.act("Abort", name="b")
    sim.now += timedelta(seconds=1)
    sim.act("Retry", name="a")
    del sim.behaviour["8"]
    sim.run(8)
    assert (told(sim, "b")[0], told(sim, "a")[0]) == ("Done", "Done")
    assert sim.serving == "8"


def test_what_could_not_act_before_its_time_was_over_does_nothing():
    sim = held_by_a_gate()
    name = sim.act("Approve", version="8", expiresAt=in_minutes(sim, 0))
    sim.run(2)
    assert (told(sim, name)[0], sim.serving) == ("Expired", "7")


def test_a_finished_one_is_deleted_after_a_day_and_never_acts_again():
    sim = serving(7)
    name = sim.act("Retry")
    sim.run(3)
    sim.behaviour["8"] = fails("LoadFailed")
    sim.desired = version(8)
    sim.run(6)
    assert sim.status["summary"] == "Rejected"
    sim.now += timedelta(days=1)
    sim.step()
    assert name not in sim.actions


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


def test_a_service_that_somebody_deleted_comes_back_before_anything_is_done():
    sim = alias_moved()
    sim.run(5)
    del sim.children["Service/rec"]
    name = sim.act("Retry")
    assert "Service" in [write.manifest["kind"] for write in sim.step().writes]
    assert told(sim, name)[0] == "Pending"
    sim.run(2)
    assert told(sim, name)[0] == "Refused"
