"""The store takes what it hears in any order, and ends up with what is so."""

from typing import Any

import pytest

from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.cluster.store import Store, registry_key
from pennant_testing.memory.object_builders import model_deployment, rollout_action

pytestmark = pytest.mark.unit

KEY = ("team", "rec")
WATCH = Watch("default", "news", alias="production")


def owner(version: int, **meta: Any) -> dict[str, Any]:
    made = model_deployment()
    return made | {"metadata": made["metadata"] | {"resourceVersion": str(version), **meta}}


def service(version: int, uid: str = "s1", **more: Any) -> dict[str, Any]:
    meta = {"name": "rec", "namespace": "team", "uid": uid, "resourceVersion": str(version)}
    labels = {"pennant.dev/deployment": "rec"}
    return {"kind": "Service", "metadata": {**meta, "labels": labels, **more}}


def test_an_older_event_does_not_undo_the_answer_to_our_own_write():
    store = Store()
    assert store.put(service(10)) == KEY
    assert store.put(service(9)) is None
    assert store.put(service(10)) is None
    assert store.get("Service", *KEY)["metadata"]["resourceVersion"] == "10"


def test_versions_are_numbers_and_not_text():
    store = Store()
    store.put(service(9))
    assert store.put(service(10)) == KEY


def test_a_late_event_does_not_bring_a_deleted_object_back():
    store = Store()
    store.put(service(10))
    assert store.drop("Service", *KEY, "s1", 12) == KEY
    assert store.put(service(11)) is None
    assert store.get("Service", *KEY) is None


def test_an_object_that_lost_our_label_and_got_it_back_is_seen_again():
    store = Store()
    store.put(service(10))
    store.drop("Service", *KEY, "s1", 12)
    assert store.put(service(13)) == KEY


def test_the_deletion_of_a_namesake_does_not_touch_its_successor():
    store = Store()
    store.put(service(20, uid="s2"))
    assert store.drop("Service", *KEY, "s1", 25) is None
    assert store.get("Service", *KEY) is not None


def test_copies_are_the_callers_own():
    store = Store()
    store.put(owner(5))
    first = store.owner(KEY)
    first["spec"]["replicas"] = 99
    assert store.owner(KEY)["spec"]["replicas"] == 2


def test_managed_fields_are_kept_of_what_is_applied_and_there_without_those_of_a_status():
    scale = {"manager": "an autoscaler", "subresource": "scale"}
    managers = [{"manager": "pennant"}, scale, {"manager": "kcm", "subresource": "status"}]
    store = Store()
    store.put(owner(5, managedFields=managers))
    store.put(service(10, managedFields=managers))
    assert "managedFields" not in store.owner(KEY)["metadata"]
    assert store.get("Service", *KEY)["metadata"]["managedFields"] == managers[:2]


def test_it_knows_who_watches_what():
    store = Store()
    store.put(owner(5))
    assert (store.watches(), store.watching(WATCH)) == ({WATCH}, {KEY})
    moved = owner(6)
    moved["spec"] = moved["spec"] | {"model": {"name": "news", "version": "7"}}
    store.put(moved)
    assert store.watches() == {Watch("default", "news", version="7")}
    store.drop("ModelDeployment", *KEY, "uid-of-rec", 7)
    assert (store.watches(), store.owners()) == (set(), [])


def test_what_is_pinned_is_asked_beside_what_is_followed_until_the_pin_is_finished():
    store = Store()
    store.put(owner(5))
    pin = rollout_action("Pin", version="7")
    seven = Watch("default", "news", version="7")
    assert store.put(versioned(pin, 6)) == KEY
    assert store.watching(seven) == store.watching(WATCH) == {KEY}
    expired = {**pin, "status": {"state": "Expired"}}
    store.put(versioned(expired, 7))
    assert store.watches() == {WATCH}
    store.put(versioned({**pin, "status": {"state": "Active"}}, 8))
    assert store.drop("RolloutAction", "team", "pin", pin["metadata"]["uid"], 9) == KEY
    assert (store.watches(), store.actions(KEY)) == ({WATCH}, [])


def test_a_pin_that_is_known_before_its_modeldeployment_counts_when_that_comes():
    store = Store()
    store.put(versioned(rollout_action("Pin", version="7"), 5))
    assert store.watches() == set()
    store.put(owner(6))
    assert store.watches() == {WATCH, Watch("default", "news", version="7")}


def test_actions_are_found_by_what_they_are_about():
    store = Store()
    resume = rollout_action("Resume", registry="default")
    del resume["spec"]["deployment"]
    key = registry_key("team", "default")
    assert store.put(versioned(resume, 5)) == key
    assert [each["metadata"]["name"] for each in store.actions(key)] == ["resume"]
    assert store.actions(("team", "default")) == []


def versioned(obj: dict[str, Any], version: int) -> dict[str, Any]:
    meta = {**obj["metadata"], "resourceVersion": str(version)}
    return {**obj, "metadata": meta}


def test_children_are_found_by_their_label():
    store = Store()
    store.put(service(10))
    assert [c["metadata"]["uid"] for c in store.children(KEY, "Service")] == ["s1"]
    assert store.children(("team", "other"), "Service") == []
