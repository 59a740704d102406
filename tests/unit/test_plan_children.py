"""Children that somebody deletes, edits or owns, and what `plan` makes of that."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from pennant_operator.decide.intent import Plan
from pennant_operator.decide.manifests.drift import MAX_SET_BACKS
from pennant_operator.decide.plan import plan
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_cluster import Simulation, serving

pytestmark = pytest.mark.unit


def test_a_deleted_service_comes_back_pointing_where_it_did():
    sim = serving(7)
    del sim.children["Service/rec"]
    sim.run(2)
    assert sim.serving == "7"
    assert sim.children["Service/rec"]["spec"]["selector"]["pennant.dev/slot"] == "blue"


def test_a_child_edited_by_hand_is_put_back():
    sim = serving(7)
    sim.edit("blue")["spec"]["template"]["spec"]["containers"][0]["image"] = "x"
    sim.run(2)
    image = sim.children["Deployment/rec-blue"]["spec"]["template"]["spec"]["containers"][0]
    assert image["image"] == "pennant-serving:1"


def test_a_foreign_service_of_our_name_is_left_alone():
    sim = Simulation(version(7))
    sim.children["Service/rec"] = {"kind": "Service", "metadata": {"name": "rec"}}
    sim.run(3)
    assert sim.writes == []
    assert sim.condition("Stalled") == ("True", "NameConflict")
    del sim.children["Service/rec"]
    sim.run(8, seconds=30)
    assert sim.serving == "7"


def test_a_foreign_service_that_is_deleted_is_noticed_without_an_event():
    sim = Simulation(version(7))
    sim.children["Service/rec"] = {"kind": "Service", "metadata": {"name": "rec"}}
    assert sim.run(3).requeue_after == 10
    del sim.children["Service/rec"]
    sim.run(5)
    assert sim.serving == "7"
    assert sim.condition("Stalled")[0] == "False"


@pytest.mark.parametrize("edited", ["annotation", "selector"])
def test_a_service_edited_by_hand_is_put_right_and_what_answers_keeps_the_traffic(edited):
    sim = serving(7)
    service = copy.deepcopy(sim.children["Service/rec"])
    if edited == "annotation":
        service["metadata"]["annotations"]["pennant.dev/active-slot"] = "green"
    else:
        service["spec"]["selector"]["pennant.dev/slot"] = "green"
    sim.children["Service/rec"] = service
    sim.run(3)
    assert sim.active is not None
    assert sim.active[0] == "blue"
    assert sim.children["Service/rec"]["spec"]["selector"]["pennant.dev/slot"] == "blue"
    assert sim.sizes() == {"blue": 2, "green": 0}
    assert [w.manifest["kind"] for w in sim.writes] == ["Service"]
    assert sim.condition("Ready") == ("True", "Serving")


def test_what_is_being_deleted_is_left_to_the_garbage_collector():
    sim = serving(7)
    sim.owner["metadata"]["deletionTimestamp"] = "2026-11-21T12:00:00Z"
    assert plan(sim.observe(), sim.now) == Plan()


def edited(sim: Simulation, change: Callable[[dict[str, Any]], object], times: int) -> int:
    """How often the operator set it back."""
    wrote = 0
    for _ in range(times):
        change(sim.edit("blue")["spec"])
        wrote += len(sim.step().writes)
    return wrote


def test_what_somebody_insists_on_is_set_back_some_times_then_accepted_and_told_once():
    sim = serving(7)

    def change(spec: dict[str, Any]) -> None:
        spec["template"]["spec"]["terminationGracePeriodSeconds"] = 99

    assert edited(sim, change, 10) == MAX_SET_BACKS
    events = [w.event for w in sim.writes if w.event]
    assert [event.reason for event in events] == ["FieldChangedByOthers"]
    assert "spec.template.spec.terminationGracePeriodSeconds" in events[0].message
    assert sim.step().writes == ()


def test_what_serves_is_not_left_without_pods_whoever_insists():
    sim = serving(7)
    assert edited(sim, lambda spec: spec.update(replicas=0), 10) == 10
    assert sim.sizes()["blue"] == 2
