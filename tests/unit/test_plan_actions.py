"""Approve, Abort and Retry: what people do to a rollout, once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pennant_registry.gates import VersionFacts, parse
from pennant_testing.memory.object_builders import REGISTRY, version
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import fails, stays_pending

pytestmark = pytest.mark.unit


def told(sim: Simulation, name: str) -> tuple[str, str]:
    status = sim.actions[name]["status"]
    return status["state"], status["message"]


def in_minutes(sim: Simulation, minutes: float) -> str:
    return (sim.now + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


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


def test_a_pin_that_comes_and_goes_lifts_no_rejection_of_what_the_alias_points_at():
    sim = alias_moved(pods=fails("LoadFailed"))
    sim.run(5)
    for number in (6, 5):
        name = sim.act("Pin", version=str(number))
        sim.desired = version(number)
        sim.run(6)
        assert sim.serving == str(number)
        assert sim.status["desired"]["followed"] == "8"
        del sim.actions[name]
    sim.desired = version(8)
    sim.run(6)
    assert (sim.serving, sim.status["summary"]) == ("5", "Rejected")
    assert "followed" not in sim.status["desired"]


def test_what_the_alias_moved_to_during_a_pin_lifts_it():
    sim = alias_moved(pods=fails("LoadFailed"))
    sim.run(5)
    name = sim.act("Pin", version="7")
    sim.desired = version(7)
    sim.run(3)
    del sim.actions[name], sim.behaviour["8"]
    for number in (9, 8):
        sim.desired = version(number)
        sim.run(8)
        assert sim.serving == str(number)


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


def test_a_service_that_somebody_deleted_comes_back_before_anything_is_done():
    sim = alias_moved()
    sim.run(5)
    del sim.children["Service/rec"]
    name = sim.act("Retry")
    assert "Service" in [write.manifest["kind"] for write in sim.step().writes]
    assert told(sim, name)[0] == "Pending"
    sim.run(2)
    assert told(sim, name)[0] == "Refused"
