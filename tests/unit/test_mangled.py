"""What the API server lets people write over the operator's own objects stops nobody.

Objects of its own kinds it holds to their types, so labels, annotations and what is optional are
mangled there; the `data` of a ControllerRevision may be any JSON at all.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.goal.goal import Goal
from pennant_operator.decide.intent import Apply
from pennant_operator.decide.manifests import render
from pennant_operator.decide.manifests.records import records_with
from pennant_operator.decide.plan import plan, wants_pods
from pennant_operator.decide.seen import spec
from pennant_operator.decide.seen.actions import parse_actions
from pennant_operator.decide.seen.observed import Observed
from pennant_operator.decide.seen.revision import (
    Record,
    UnreadableRecordError,
    record_data,
    record_from_object,
)
from pennant_operator.decide.seen.world import world_of
from pennant_operator.observe.cluster.children import own_records
from pennant_operator.observe.cluster.store import Store
from pennant_testing.memory.json_paths import places, put, without
from pennant_testing.memory.object_builders import NOW, model_deployment, rollout_action, version
from pennant_testing.memory.simulated_answers import answered
from pennant_testing.memory.simulated_cluster import Simulation, serving
from pennant_testing.memory.simulated_pods import fails, stays_pending
from pennant_testing.running.generated_examples import examples

pytestmark = pytest.mark.unit

# The API server takes these for times, too.
ODD_TIMES = ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"]
TEXT = st.text(max_size=8) | st.sampled_from(
    ["blue", "green", "none", "True", "", "2026-11-21", *ODD_TIMES]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def situations() -> list[Observed]:
    """Settled, on the way, baking (also judged by answers), after a rejection, and short of room on
    a hold and before.
    """
    observed = [judged().observe()]
    cannot_load, hour = fails("LoadFailed"), 3600
    for steps, behaves, seconds in (
        *((0, None, 1), (1, None, 1), (3, None, 1), (9, cannot_load, 1)),
        *((3, stays_pending, 1), (3, stays_pending, hour)),
    ):
        sim = serving(7)
        if behaves is not None:
            sim.behaviour["8"] = behaves
        if steps:
            sim.desired = version(8)
            sim.run(steps, seconds)
        observed.append(sim.observe())
    approved = {"version": "7", "revision": "abc", "action": "a", "time": "2026-11-21T12:00:00Z"}
    taken = {"name": "a", "uid": "u", "state": "Done", "message": "so", "time": "2026-11-21"}
    owner = observed[-1].owner
    status = {**owner["status"], "approved": approved, "action": taken}
    action = parse_actions([rollout_action("Retry", name="a")])
    return [*observed, replace(observed[-1], owner=owner | {"status": status}, actions=action)]


def judged() -> Simulation:
    """It bakes, and is judged by its answers."""
    sim = serving(7)
    sim.answers = {"7": answered(60), "8": answered(60)}
    sim.desired = version(8)
    sim.run(8)
    assert "baseline" in sim.status["answers"]
    return sim


NOTHING = Goal(None)
SEEN = situations()


@st.composite
def mangled_status(draw: st.DrawFn) -> Observed:
    """Any part of it went, or any text became another."""
    seen = draw(st.sampled_from(SEEN))
    status = seen.owner["status"]
    for _ in range(draw(st.integers(1, 4))):
        there = list(places(status))
        if not there:
            break
        path = draw(st.sampled_from(there))
        value = status
        for key in path:
            value = value[key]
        if isinstance(value, str) and draw(st.booleans()):
            status = put(status, path, draw(TEXT))
        else:
            status = without(status, path)
    return replace(seen, owner=seen.owner | {"status": status})


ACTION = st.fixed_dictionaries(
    {
        "spec": st.dictionaries(
            st.sampled_from(["action", "version", "revision", "expiresAt", "actor", "reason"]),
            TEXT | st.sampled_from(["Pin", "Hold", "Approve", "Abort", "Retry", "7", "8"]),
        ),
        "status": st.dictionaries(
            st.sampled_from(["state", "message", "time"]),
            TEXT | st.sampled_from(["Pending", "Done", "9999-12-31T23:59:59-12:00"]),
        ),
    }
)


@given(st.sampled_from(SEEN), st.lists(ACTION, max_size=4))
@examples(100)
def test_whatever_a_rolloutaction_holds_a_plan_is_made(seen: Observed, parts: list[Any]):
    made = [rollout_action("Hold", name=f"a{number}") | part for number, part in enumerate(parts)]
    observed = replace(seen, actions=parse_actions(made))
    wants_pods(observed, NOW)
    plan(observed, NOW)


LABELS = st.dictionaries(
    st.sampled_from(
        [
            *(f"pennant.dev/{n}" for n in ("slot", "revision", "deployment", "active-slot")),
            *(f"pennant.dev/{n}" for n in ("active-revision", "active-since", "warm-revision")),
        ]
    ),
    TEXT,
    max_size=5,
)
FAILURE = {"type": "ReplicaFailure", "status": "True"}
PARTS: dict[str, st.SearchStrategy[Any]] = {
    "ConfigMap": st.fixed_dictionaries({"data": st.dictionaries(TEXT, TEXT, max_size=3)}),
    "Service": st.sampled_from([{"spec": {}}, {"spec": {"selector": {"a": "b"}}}]),
    "Deployment": st.sampled_from(
        [{"status": {}}, {"status": {"conditions": [FAILURE]}}, {"status": {"readyReplicas": 7}}]
    ),
    "PodDisruptionBudget": st.just({"spec": {}}),
}


@st.composite
def mangled_children(draw: st.DrawFn) -> Observed:
    """Labels, annotations, selectors and data as anybody may write them, and statuses as odd."""
    seen = draw(st.sampled_from(SEEN))
    children = copy.deepcopy(seen.children)
    for child in children.values():
        if draw(st.booleans()):
            child |= draw(PARTS[child["kind"]])
        for name in draw(st.sets(st.sampled_from(["labels", "annotations"]))):
            child["metadata"].pop(name, None)
            child["metadata"] |= draw(st.sampled_from([{}, {name: draw(LABELS)}]))
        if child["kind"] == "Deployment" and draw(st.booleans()):
            template = child["spec"]["template"]
            template["metadata"] = draw(st.sampled_from([{}, {"labels": draw(LABELS)}]))
            template["spec"] = {"containers": [{"name": "other"}]}
    return replace(seen, children=children)


@examples(200)
@given(mangled_status() | mangled_children())
def test_whatever_was_written_over_its_objects_a_plan_is_made(seen: Observed):
    wants_pods(seen, NOW)
    world_of(seen, spec.parse_spec(seen.owner), NOW)
    made = plan(seen, NOW)
    assert made.status is not None
    again = replace(seen, owner=seen.owner | {"status": made.status})
    assert plan(again, NOW).status is not None


def record() -> dict[str, Any]:
    """A ControllerRevision as the API server returns it."""
    sim = Simulation(version(7))
    sim.run(4)
    (held,) = sim.records.values()
    made = render.controller_revision_of(spec.parse_spec(model_deployment()), held)
    meta = {"uid": "uid", "resourceVersion": "5"}
    return {**made, "metadata": {**made["metadata"], **meta}}


RECORD = record()


def test_a_record_is_read_as_it_was_written():
    assert record_data(record_from_object(RECORD)) == RECORD["data"]


@examples(300)
@given(JSON)
def test_anything_may_be_the_data_of_a_record(data: Any):
    with pytest.raises(UnreadableRecordError):
        record_from_object(RECORD | {"data": data})


@examples(300)
@given(st.sampled_from([*places(RECORD["data"])]), JSON)
def test_a_record_is_either_read_or_named(path: tuple[Any, ...], new: Any):
    """What is read can be decided from."""
    for data in (put(RECORD["data"], path, new), without(RECORD["data"], path)):
        found = read(RECORD | {"data": data})
        if found is not None:
            made = plan(replace(SEEN[0], records={found.revision: found}), NOW)
            applied = [write.manifest for write in made.writes if isinstance(write, Apply)]
            assert {each["metadata"]["namespace"] for each in applied} <= {"team"}


def read(obj: Any) -> Record | None:
    with contextlib.suppress(UnreadableRecordError):
        return record_from_object(obj)
    return None


@pytest.mark.parametrize(
    ("mangle", "why"),
    [
        (lambda r: r.pop("data"), "it has no data.format"),
        (lambda r: r.update(data={}), "it has no data.format"),
        (lambda r: r["data"].update(format=2), "data.format is 2, and this operator reads 1"),
        (lambda r: r["data"].update(format=True), "it has no data.format"),
        (lambda r: r["data"].update(model=7), "model is a int, not a str"),
        (lambda r: r["data"].pop("manifest"), "manifest is a NoneType, not a dict"),
        (lambda r: r["data"]["manifest"].update(kind="Role"), "data.manifest is no Deployment"),
        (
            lambda r: r["data"]["manifest"]["metadata"].update(namespace="kube-system"),
            "data.manifest.metadata.namespace is 'kube-system'",
        ),
        (
            lambda r: r["metadata"]["labels"].pop("pennant.dev/revision"),
            "its label pennant.dev/revision is ''",
        ),
        (
            lambda r: r["metadata"]["labels"].update({"pennant.dev/revision": "other"}),
            "its label pennant.dev/revision is 'other'",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "mangled",
)
def test_what_is_wrong_with_a_record_is_told(mangle: Callable[[Any], Any], why: str):
    made = copy.deepcopy(RECORD)
    mangle(made)
    with pytest.raises(UnreadableRecordError) as refused:
        record_from_object(made)
    assert str(refused.value) == why


def test_one_unreadable_record_hides_no_other_and_stops_no_other_key():
    store, owner = Store(), RECORD["metadata"]["ownerReferences"][0]["uid"]
    meta = {**RECORD["metadata"], "uid": "other", "name": "rec-x", "resourceVersion": "6"}
    store.put({**RECORD, "metadata": meta, "data": {}})
    store.put(RECORD)
    read, named = own_records(store, ("team", "rec"), owner)
    if isinstance(read, str):
        read, named = named, read
    assert read == record_from_object(RECORD)
    assert named == "rec-x: it has no data.format"


def test_an_unreadable_record_is_named_and_the_slot_it_was_of_is_left_as_it_is():
    sim = serving(7)
    seen = replace(sim.observe(), records={}, unreadable=("rec-x: it has no data.format",))
    made = plan(seen, NOW)
    (event,) = made.events
    assert (event.type, event.reason) == ("Warning", "RecordUnreadable")
    assert event.message.startswith("ControllerRevision rec-x: it has no data.format; ")
    assert not [write for write in made.writes if isinstance(write, Apply)]
    recovered = records_with(seen, world_of(seen, spec.parse_spec(seen.owner), NOW), goal=NOTHING)
    assert {each.version for each in recovered.values()} == {"7"}
