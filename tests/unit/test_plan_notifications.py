"""What is to be sent to notifiers, as `plan` writes it into the status with what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pennant_operator.decide.notify.news import news_between
from pennant_operator.decide.notify.outbox import deliveries
from pennant_operator.decide.seen.observed import Unknown
from pennant_registry.gates import VersionFacts
from pennant_registry.hold_form import Hold, Holds
from pennant_testing.memory.object_builders import NOW, REGISTRY, version
from pennant_testing.memory.receivers import notifier
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import (
    PodTemplate,
    becomes_ready,
    crashed,
    fails,
    stays_pending,
)

pytestmark = pytest.mark.unit

NOTIFYING = replace(REGISTRY, notifiers=(notifier(),))
HOLDS = Holds(Hold("incident 12", tag="pennant.hold.production"))


def notified(pods: PodTemplate = becomes_ready, **spec: Any) -> Simulation:
    """Version 7 serves, the alias points at 8, and somebody is to be sent what becomes of it."""
    sim = alias_moved(pods=pods, **spec)
    sim.registry = NOTIFYING
    return sim


def news(sim: Simulation) -> list[str]:
    """Occasion, version and reason of what waits."""
    parts = ("occasion", "version", "reason")
    entries = sim.status.get("notifications", ())
    return [" ".join(e[part] for part in parts if part in e) for e in entries]


def send(sim: Simulation) -> None:
    """All that waits is taken, and the next status knows it."""
    sim.sent = frozenset(deliveries(sim.status))
    sim.step()
    sim.sent = frozenset()


def test_a_version_that_gets_the_traffic_is_news_with_the_one_before_it():
    sim = notified()
    sim.run(8)
    (entry,) = sim.status["notifications"]
    assert entry == {
        "id": entry["id"],
        "occasion": "Serving",
        "registry": "default",
        "model": "news",
        "alias": "production",
        "version": "8",
        "previous": "7",
        "time": entry["time"],
        "to": ["slack"],
    }


def test_the_first_version_of_all_is_news_and_has_none_before_it():
    sim = Simulation(version(7))
    sim.registry = NOTIFYING
    sim.run(6)
    assert news(sim) == ["Serving 7"]
    assert "previous" not in sim.status["notifications"][0]


def test_what_was_before_somebody_asked_is_no_news():
    sim = alias_moved(pods=fails("LoadFailed"))
    sim.run(8)
    assert sim.status["summary"] == "Rejected"
    before = sim.status
    sim.registry = NOTIFYING
    sim.run(4)
    assert sim.status == before


def test_without_a_notifier_no_status_has_any():
    sim = alias_moved()
    sim.run(8)
    assert "notifications" not in sim.status


def test_what_was_sent_goes_and_is_sent_no_more():
    sim = notified()
    sim.run(8)
    send(sim)
    assert news(sim) == []
    before = sim.status
    sim.run(4)
    assert sim.status == before


def test_a_rejected_version_is_news_once():
    sim = notified(fails("LoadFailed"))
    sim.run(8)
    assert news(sim) == ["Rejected 8 LoadFailed"]
    send(sim)
    sim.run(8)
    assert news(sim) == []


def test_a_crash_in_the_bake_is_two_pieces_of_news():
    sim = notified()
    sim.run(8)
    send(sim)
    sim.behaviour["8"] = crashed(sim.now)
    sim.run(8)
    assert sim.serving == "7"
    assert news(sim) == ["Rejected 8 CrashedInBake", "RolledBack 7"]
    assert sim.status["notifications"][1]["previous"] == "8"


@pytest.mark.parametrize("minutes", [0, 10])
def test_the_alias_moved_back_is_a_roll_back_in_the_bake_and_after_it(minutes: int):
    sim = notified()
    sim.run(8)
    sim.now += timedelta(minutes=minutes)
    sim.run(2)
    send(sim)
    sim.desired = version(7)
    sim.run(8)
    assert sim.serving == "7"
    assert news(sim) == ["RolledBack 7"]


@pytest.mark.parametrize("act", [{"version": "7"}, {}], ids=["Pin", "Abort"])
def test_a_person_can_have_it_go_back(act: dict[str, str]):
    sim = notified()
    sim.run(8)
    send(sim)
    sim.act("Pin" if act else "Abort", **act)
    sim.run(8)
    assert sim.serving == "7"
    assert news(sim)[-1] == "RolledBack 7"


def test_away_from_a_rejected_version_is_back_though_the_other_is_newer():
    sim = serving(9)
    sim.registry = NOTIFYING
    sim.desired = version(8)
    sim.run(8)
    send(sim)
    sim.behaviour["8"] = crashed(sim.now)
    sim.run(8)
    assert news(sim) == ["Rejected 8 CrashedInBake", "RolledBack 9"]


def test_a_hold_in_the_registry_is_news_once_until_it_is_over():
    sim = notified()
    sim.holds = HOLDS
    sim.run(4)
    assert news(sim) == ["Held 8 HeldInRegistry"]
    send(sim)
    assert deliveries(sim.status) == []
    sim.registry = replace(NOTIFYING, braked=True)  # said otherwise for a while
    sim.run(4)
    sim.registry = NOTIFYING
    sim.run(4)
    assert [each for each in news(sim) if each.endswith("HeldInRegistry")] == news(sim)[:1]
    assert ("HeldInRegistry", []) in [(e["reason"], e["to"]) for e in sim.status["notifications"]]
    send(sim)
    sim.holds = Holds()
    sim.run(8)
    assert news(sim) == ["Serving 8"]


def test_a_gate_that_nobody_can_ask_for_a_while_holds_it_no_second_time():
    sim = notified()
    sim.specify(gates={"tags": [{"key": "approved"}]})
    sim.facts["8"] = VersionFacts("8", tags={})
    sim.run(4)
    assert news(sim) == ["Held 8 GateNotPassed"]
    send(sim)
    desired, sim.desired = sim.desired, Unknown("RegistryUnreachable", "it is away", sim.now)
    sim.run(4)
    sim.desired = desired
    sim.run(4)
    assert deliveries(sim.status) == []


def test_a_candidate_that_is_parked_again_and_again_is_news_once():
    sim = notified(stays_pending, rollout={"deadlines": {"schedule": "1s"}})
    sim.run(8)
    assert news(sim) == ["Held 8 Unschedulable"]
    send(sim)
    sim.run(40, seconds=60)
    assert sim.status["candidate"]["attempts"] > 2
    assert deliveries(sim.status) == []


def test_each_notifier_gets_what_it_asks_for_and_is_done_by_itself():
    sim = notified()
    pager = notifier("pager", occasions=["Rejected", "Held"])
    sim.registry = replace(REGISTRY, notifiers=(notifier(), notifier("teams"), pager))
    sim.run(8)
    assert [each["to"] for each in sim.status["notifications"]] == [["slack", "teams"]]
    sim.sent = frozenset(deliveries(sim.status)[:1])
    sim.step()
    assert [each["to"] for each in sim.status["notifications"]] == [["teams"]]
    sim.registry = replace(REGISTRY, notifiers=(notifier(), pager))  # it is no more
    sim.step()
    assert news(sim) == []


def test_while_the_modelregistry_cannot_be_read_news_waits_for_whom_it_is_for():
    sim = notified()
    sim.run(1)
    registry, sim.registry = sim.registry, None
    sim.desired = Unknown("WaitingForRegistry", "ModelRegistries are not listed yet")
    sim.run(8)
    assert sim.serving == "8"
    assert news(sim) == ["Serving 8"]
    assert deliveries(sim.status) == []
    sim.registry, sim.desired = registry, version(8)
    sim.step()
    assert [each["to"] for each in sim.status["notifications"]] == [["slack"]]
    sim.registry = REGISTRY
    sim.step()
    assert news(sim) == []


def test_what_nobody_takes_in_a_day_is_given_up_and_told():
    sim = notified()
    sim.run(8)
    sim.now += timedelta(hours=24)
    decision = sim.step()
    assert news(sim) == []
    assert decision.given_up[0][1:] == ("default", "slack")
    (event,) = [each for each in sim.events if each.reason == "NotificationGivenUp"]
    assert event.message == (
        "Serving of version 8 is not sent to slack of ModelRegistry default: it was not taken in"
        " 24 hours; its status.notifiers says what is in the way"
    )


def test_what_nobody_takes_is_looked_at_when_it_is_to_be_given_up_though_nothing_else_happens():
    sim = notified()
    sim.run(8)
    sim.now += timedelta(hours=1)
    sim.run(2)
    decision = sim.step()
    assert decision.requeue_after is not None
    sim.now += timedelta(seconds=decision.requeue_after)
    sim.step()
    assert news(sim) == []
    assert sim.step().requeue_after is None


def test_of_more_than_ten_that_wait_the_oldest_make_room():
    sim = notified()
    for number in range(8, 20):
        sim.desired = version(number)
        sim.run(8)
    assert news(sim) == [f"Serving {number}" for number in range(10, 20)]
    given_up = [each.message for each in sim.events if each.reason == "NotificationGivenUp"]
    assert [message.partition(" is ")[0] for message in given_up] == [
        "Serving of version 8",
        "Serving of version 9",
    ]


def test_the_same_news_has_the_same_id_however_often_it_is_decided():
    sim = notified()
    before = sim.status
    sim.run(8)
    ids = {
        entry["id"]
        for seconds in range(5)
        for entry in news_between(before, sim.status, "uid", NOW + timedelta(seconds=seconds))
    }
    assert len(ids) == 1
    assert ids != {e["id"] for e in news_between(before, sim.status, "another's uid", NOW)}
