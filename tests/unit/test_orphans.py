"""Children that a deleted ModelDeployment left (--cascade=orphan), and others of a child's name."""

from __future__ import annotations

from typing import Any

import pytest

from pennant_operator.decide.intent import Adopt, Apply, Delete, Plan
from pennant_operator.decide.plan import plan
from pennant_testing.memory.object_builders import version
from pennant_testing.memory.simulated_api_server import ConflictError
from pennant_testing.memory.simulated_cluster import Simulation, alias_moved, serving

pytestmark = pytest.mark.unit


def orphaned() -> Simulation:
    """Version 8 served beside version 7, whose record and empty slot were kept."""
    sim = serving(7)
    sim.desired = version(8)
    sim.run(6)
    sim.now = sim.now.replace(hour=sim.now.hour + 1)
    sim.run(4)
    assert (sim.serving, sim.sizes()) == ("8", {"blue": 0, "green": 2})
    sim.orphan()
    sim.writes.clear()
    return sim


def carry_out(sim: Simulation, decision: Plan) -> None:
    for write in decision.writes:
        sim.carry_out(write)


def templates(sim: Simulation) -> list[Any]:
    return [sim.deployment(slot)["spec"]["template"] for slot in ("blue", "green")]


def test_orphans_are_adopted_whatever_their_kind():
    sim = orphaned()
    found = sim.step()
    assert {type(write) for write in found.writes} == {Adopt}
    assert {write.kind for write in found.writes} == {
        *("Service", "Deployment", "ConfigMap"),
        *("PodDisruptionBudget", "ControllerRevision"),
    }
    assert len(found.writes) == 8
    uid = sim.owner["metadata"]["uid"]
    for child in sim.children.values():
        assert [ref["uid"] for ref in child["metadata"]["ownerReferences"]] == [uid]
    assert set(sim.owners.values()) == {uid}
    assert found.requeue_after == 0


def test_what_serves_goes_on_and_nothing_rolls():
    sim = orphaned()
    pods, before, active = sim.pods, templates(sim), sim.active
    sim.run(6)
    assert (sim.pods, sim.active, templates(sim)) == (pods, active, before)
    assert sim.status["summary"] == "Serving"
    assert sim.status["serving"]["version"] == "8"
    sim.writes.clear()
    sim.run(3)
    assert sim.writes == []


def test_the_uid_that_is_written_is_always_todays_owners():
    sim = orphaned()
    sim.run(4)
    sim.desired = version(7)  # from its record, which holds the old uid
    sim.run(8)
    assert sim.serving == "7"
    uid = sim.owner["metadata"]["uid"]
    for write in sim.writes:
        if isinstance(write, Apply):
            assert [r["uid"] for r in write.manifest["metadata"]["ownerReferences"]] == [uid]


def test_who_else_is_named_as_an_owner_stays_named():
    sim = orphaned()
    other = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"}
    sim.children["Service/rec"]["metadata"]["ownerReferences"] = [other]
    sim.step()
    owners = sim.children["Service/rec"]["metadata"]["ownerReferences"]
    assert [ref["uid"] for ref in owners] == ["x", sim.owner["metadata"]["uid"]]


def test_an_orphan_that_changed_meanwhile_is_looked_at_again():
    sim = orphaned()
    found = plan(sim.observe(), sim.now)
    sim.children["Service/rec"]["metadata"]["resourceVersion"] = "other"
    with pytest.raises(ConflictError):
        carry_out(sim, found)


@pytest.mark.parametrize("kind", ["Service/rec", "ConfigMap/rec-registry", "Deployment/rec-blue"])
@pytest.mark.parametrize(
    "meta",
    [
        {"labels": {"pennant.dev/deployment": "rec"}},
        {"labels": {"app.kubernetes.io/managed-by": "pennant"}},
        {"labels": {"app.kubernetes.io/managed-by": "pennant", "pennant.dev/deployment": "other"}},
    ],
)
def test_without_our_labels_it_is_somebody_elses_and_nothing_is_adopted(kind: str, meta: Any):
    sim = orphaned()
    sim.children[kind]["metadata"] |= meta
    found = sim.step()
    assert found.writes == ()
    assert sim.condition("Stalled") == ("True", "NameConflict")
    assert f"team/{kind} exists" in sim.status["conditions"][2]["message"]


def test_what_was_adopted_and_meets_a_strangers_object_is_said_to_go_on_serving():
    sim = orphaned()
    sim.step()
    sim.somebody_has("Deployment/rec-blue")
    sim.step()
    assert sim.condition("Stalled") == ("True", "NameConflict")
    assert sim.condition("Ready") == ("True", "Serving")
    assert sim.message("Ready") == "what has the traffic answers on 2 pods"
    assert sim.message("AliasInSync").endswith("; what has the traffic goes on serving")


def test_a_record_with_another_controller_is_named():
    sim = serving(7)
    (revision,) = sim.records
    sim.owners[revision] = None
    record = sim.observe().children[f"ControllerRevision/rec-{revision}"]
    other = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "x", "uid": "x"}
    record["metadata"]["ownerReferences"] = [{**other, "controller": True}]
    seen = sim.observe()
    seen.children[f"ControllerRevision/rec-{revision}"] = record
    found = plan(seen, sim.now)
    assert found.writes == ()
    assert found.status["conditions"][2]["reason"] == "NameConflict"
    assert f"ControllerRevision/rec-{revision} exists" in found.status["conditions"][2]["message"]


def test_an_object_that_another_one_of_its_name_took_the_place_of_is_not_written():
    sim = serving(7)
    sim.specify(replicas=3)
    found = plan(sim.observe(), sim.now)
    sim.children["Deployment/rec-blue"]["metadata"]["uid"] = "another"
    with pytest.raises(ConflictError):
        carry_out(sim, found)
    assert sim.sizes()["blue"] == 2


@pytest.mark.parametrize(
    ("kind", "edit"),
    [
        ("Service/rec", {"selector": {"app": "mine"}}),
        ("Deployment/rec-blue", {"replicas": 7}),
        ("PodDisruptionBudget/rec-blue", {"maxUnavailable": 0}),
    ],
)
def test_what_somebody_goes_on_to_change_is_not_set_back_as_it_was_seen(kind: str, edit: Any):
    sim = serving(7)
    child = sim.children[kind]
    sim.children[kind] = {**child, "spec": {**child["spec"], **edit}}
    found = plan(sim.observe(), sim.now)
    assert [type(write) for write in found.writes] == [Apply]
    taken = {**sim.children[kind], "metadata": {**child["metadata"], "ownerReferences": []}}
    taken["metadata"]["resourceVersion"] = "later"
    sim.children[kind] = taken
    with pytest.raises(ConflictError):
        carry_out(sim, found)
    assert sim.children[kind] == taken


def test_an_idle_slot_of_which_nobody_knows_what_it_holds_is_emptied():
    sim = serving(7)
    held = sim.children["Deployment/rec-blue"]
    stray = {**held, "metadata": {**held["metadata"], "name": "rec-green", "uid": "stray"}}
    template = {"metadata": {"labels": {}}, "spec": held["spec"]["template"]["spec"]}
    stray["spec"] = {**held["spec"], "template": template, "replicas": 2}
    sim.children["Deployment/rec-green"] = stray
    found = plan(sim.observe(), sim.now)
    assert [(w.kind, w.name, w.uid) for w in found.writes] == [("Deployment", "rec-green", "stray")]


@pytest.mark.parametrize(("seconds", "left"), [(1, "deleted"), (3600, "empty")])
def test_an_idle_slot_whose_revision_was_taken_off_is_the_next_versions(seconds: int, left: str):
    """In a bake, with pods of which nobody knows what they are; and after it, without any."""
    sim = alias_moved()
    sim.run(3)
    sim.run(3, seconds)
    template = sim.edit("blue")["spec"]["template"]
    del template["metadata"]["labels"]["pennant.dev/revision"]
    found = sim.step()
    assert [type(write) for write in found.writes] == ([Delete] if left == "deleted" else [])
    sim.run(3)
    assert (sim.serving, sim.sizes()) == ("8", {"blue": 0, "green": 2})
    assert sim.step().writes == ()
    sim.desired = version(9)
    sim.run(6)
    assert (sim.serving, sim.active[0]) == ("9", "blue")
