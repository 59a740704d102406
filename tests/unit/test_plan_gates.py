"""Gates hold a version before it has any pod, and say why where people look."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pennant_operator.decide.seen.observed import Unknown
from pennant_registry.gates import VersionFacts, parse
from pennant_testing.memory.object_builders import NOW, REGISTRY, model_deployment, version
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving
from pennant_testing.memory.simulated_pods import PodTemplate, becomes_ready, fails

pytestmark = pytest.mark.unit

APPROVED = {"tags": [{"key": "approved", "value": "true"}]}
BETTER = {"metrics": [{"name": "auc", "min": "0.5", "maxDrop": "0.01"}]}
WEEKEND = {"closed": [{"cron": "0 18 * * 5", "for": "62h", "timeZone": "Europe/Berlin"}]}


def facts(number: int, *, approved: str = "", **metrics: float) -> VersionFacts:
    return VersionFacts(str(number), metrics, {"approved": approved})


def held(gates: dict[str, Any], *known: VersionFacts, **spec: Any) -> Simulation:
    """Version 7 serves, and the alias points at 8, of which gates are told this."""
    sim = gated(gates, **spec)
    sim.facts = {each.version: each for each in known}
    sim.run(4)
    return sim


def gated(gates: dict[str, Any], pods: PodTemplate = becomes_ready, **spec: Any) -> Simulation:
    """Version 7 serves since before there were gates, and the alias points at 8."""
    sim = alias_moved(pods=pods)
    sim.specify(gates=gates, **spec)
    return sim


def test_a_version_that_is_held_gets_no_pod_and_what_serves_goes_on():
    sim = held(APPROVED, facts(8))
    assert sim.writes == []
    assert sim.serving == "7"
    assert sim.status["summary"] == "Held"
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.condition("Stalled") == ("False", "NotStalled")
    assert sim.condition("Reconciling") == ("False", "Settled")
    assert sim.condition("AliasInSync") == ("False", "GateNotPassed")
    assert sim.message("AliasInSync") == (
        "alias production points at version 8, which is held by its gates: tag approved is not set,"
        " and must be 'true'; they are asked again when its tags change, and at most 10 minutes"
        " apart; version 7 goes on serving"
    )


def test_every_gate_that_does_not_let_it_through_is_named_and_the_status_lists_all():
    gates = APPROVED | {"metrics": [*BETTER["metrics"], {"name": "map", "max": "1"}]}
    sim = held(gates, facts(8, auc=0.4, map=0.5), facts(7, auc=0.9))
    message = sim.message("AliasInSync")
    for words in ("auc is 0.4, and must be at least 0.5;", "at least 0.89, which", "tag approved"):
        assert words in message
    assert [(each["gate"], each["result"]) for each in sim.status["gates"]] == [
        ("metrics.auc.min", "Failed"),
        ("metrics.auc.maxDrop", "Failed"),
        ("metrics.map.max", "Passed"),
        ("tags.approved", "Failed"),
    ]
    assert sim.status["gates"][2] == {
        "gate": "metrics.map.max",
        "result": "Passed",
        "value": "0.5",
        "bound": "at most 1",
    }


def test_it_is_said_once():
    sim = held(APPROVED, facts(8))
    sim.run(20, 60)
    (event,) = [each for each in sim.events if each.reason == "RolloutHeld"]
    assert event.message.startswith("GateNotPassed: alias production points at version 8")


def test_an_approval_lets_it_out_and_the_gates_are_gone_from_the_status():
    sim = held(APPROVED, facts(8))
    sim.facts["8"] = facts(8, approved="true")
    sim.run(8)
    assert sim.serving == "8"
    assert "gates" not in sim.status
    assert sim.condition("AliasInSync") == ("True", "InSync")


def test_a_modelregistrys_gates_are_a_floor_and_say_whose_they_are():
    sim = gated(BETTER)
    sim.registry = replace(REGISTRY, gates=parse(APPROVED))
    sim.facts = {"8": facts(8, auc=0.9), "7": facts(7, auc=0.9)}
    sim.run(4)
    assert sim.serving == "7"
    assert "and must be 'true' (a gate of ModelRegistry default)" in sim.message("AliasInSync")
    assert sim.status["gates"][0]["registry"] == "default"
    sim.facts["8"] = facts(8, approved="true", auc=0.2)
    sim.run(4)
    assert sim.serving == "7"
    sim.facts["8"] = facts(8, approved="true", auc=0.9)
    sim.run(8)
    assert sim.serving == "8"


def test_the_first_version_is_held_too_and_has_nothing_to_compare_with():
    sim = Simulation(version(7), owner=model_deployment(gates=APPROVED | BETTER))
    sim.facts = {"7": facts(7, auc=0.9)}
    sim.run(4)
    assert sim.active is None
    assert sim.condition("Ready") == ("False", "NothingServedYet")
    assert "version 7 is held by its gates: tag approved is not set" in sim.message("Ready")
    sim.facts["7"] = facts(7, approved="true", auc=0.9)
    sim.run(8)
    assert sim.serving == "7"


def test_while_nobody_says_what_gates_ask_for_it_waits():
    sim = held(APPROVED)
    assert sim.writes == []
    assert "is held by its gates: what they ask for is not known yet" in sim.message("AliasInSync")
    assert sim.status["gates"] == [
        {"gate": "gates", "result": "Unknown", "message": "what they ask for is not known yet"}
    ]


def test_facts_of_another_version_are_none_of_this():
    sim = held(APPROVED, facts(8, approved="true"))
    assert sim.serving == "8"
    sim.desired, sim.facts = version(9), {"9": facts(8, approved="true")}
    sim.run(4)
    assert sim.serving == "8"


def test_going_back_waits_for_no_gate():
    sim = alias_moved()
    sim.run(30, 20)
    assert sim.serving == "8"
    sim.specify(gates=APPROVED)
    sim.desired = version(7)
    sim.run(8)
    assert sim.serving == "7"


def test_a_change_of_the_pods_is_no_new_version():
    sim = serving(7)
    sim.specify(gates=APPROVED, serving={"env": [{"name": "A", "value": "b"}]})
    sim.run(12)
    assert sim.condition("AliasInSync") == ("True", "InSync")


def test_a_rollout_that_has_begun_is_not_taken_back():
    sim = gated(APPROVED, pods=fails("DownloadFailed", container="fetch"))
    sim.facts = {"8": facts(8, approved="true")}
    sim.run(3)
    sim.facts = {}
    sim.run(3)
    assert sim.sizes()["green"] == 2
    assert sim.status["candidate"]["version"] == "8"


def test_an_operator_that_died_before_it_wrote_of_a_rollout_takes_nothing_back():
    sim = gated(APPROVED)
    sim.facts = {"8": facts(8, approved="true")}
    before = sim.status
    sim.step()
    sim.owner = {**sim.owner, "status": before}
    sim.facts = {}
    sim.run(2)
    assert sim.sizes()["green"] == 2


def test_a_pinned_version_that_is_held_is_not_what_the_spec_asks_for():
    sim = serving(7)
    sim.specify(gates=APPROVED, model={"name": "news", "version": "8"})
    sim.desired, sim.facts = version(8), {"8": facts(8)}
    sim.run(4)
    assert sim.condition("Reconciling") == ("True", "GateNotPassed")
    assert "spec.model.version pins version 8, which is held" in sim.message("AliasInSync")


@pytest.mark.parametrize(("spec", "reason"), [({"suspend": True}, "Suspended")])
def test_what_a_person_said_comes_first(spec, reason):
    sim = held(APPROVED, facts(8), **spec)
    assert sim.condition("AliasInSync") == ("False", reason)
    assert "gates" not in sim.status


def test_nothing_goes_out_in_a_closed_window_and_all_does_at_its_end():
    saturday = datetime(2026, 11, 28, 12, tzinfo=UTC)
    sim = gated(WEEKEND)
    sim.now = saturday
    plan = sim.run(3)
    assert sim.writes == []
    assert sim.message("AliasInSync") == (
        "alias production points at version 8, which is held by its gates: nothing new goes out "
        "before Mon 2026-11-30 08:00:00 Europe/Berlin (cron '0 18 * * 5' for 62h, Europe/Berlin); "
        "its rollout starts then; version 7 goes on serving"
    )
    monday = datetime(2026, 11, 30, 7, tzinfo=UTC)
    asked = sim.now - timedelta(seconds=1)
    assert plan.requeue_after == (monday - asked).total_seconds()
    sim.now = monday
    sim.run(8)
    assert sim.serving == "8"


def test_a_silent_registry_begins_nothing_that_no_gate_let_through():
    sim = held(APPROVED, facts(8))
    sim.desired = Unknown("RegistryUnreachable", "it does not answer", NOW)
    sim.run(4)
    assert sim.writes == []
    assert sim.serving == "7"


def test_a_held_version_is_forgotten_when_the_alias_goes_back():
    sim = held(APPROVED, facts(8))
    sim.desired = version(7)
    sim.run(2)
    assert "gates" not in sim.status
    assert sim.condition("AliasInSync") == ("True", "InSync")


def test_gates_that_cannot_be_read_are_an_invalid_spec():
    sim = serving(7)
    sim.specify(gates={"closed": [{"cron": "soon", "for": "1h"}]})
    sim.run(2)
    assert sim.condition("Stalled") == ("True", "InvalidSpec")
    assert "spec.gates.closed[0].cron is 'soon': write five fields" in sim.message("Stalled")
