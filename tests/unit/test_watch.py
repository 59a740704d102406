"""What the watch does with the objects that events bring."""

from types import SimpleNamespace
from typing import Any

import pytest

from pennant_operator.observe.cluster.store import Store
from pennant_operator.observe.cluster.watch import _settings, _take

pytestmark = pytest.mark.unit


class Uncopied:
    """Part of an object that nobody may copy."""

    def __deepcopy__(self, memo: Any) -> None:
        raise AssertionError("copied")


def test_no_event_makes_the_framework_copy_the_object():
    storage = _settings().persistence.diffbase_storage
    assert storage.build(body={"metadata": {}, "spec": Uncopied()}, extra_fields=[]) == {}
    assert storage.fetch(body={"spec": Uncopied()}) is None


def service(version: int) -> dict[str, Any]:
    meta = {"name": "rec", "namespace": "team", "uid": "s1", "resourceVersion": str(version)}
    return {"metadata": {**meta, "labels": {"pennant.dev/deployment": "rec"}}}


def heard(store: Store, type_: str, version: int) -> None:
    services = SimpleNamespace(group="", version="v1", kind="Service")
    _take(store, {"type": type_, "object": service(version)}, services)


def test_what_only_lost_the_label_is_known_once_it_was_read_by_name():
    """The watch says DELETED, at the version at which it still is there."""
    store = Store()
    heard(store, "ADDED", 10)
    heard(store, "DELETED", 12)
    assert store.get("Service", "team", "rec") is None
    store.put({"kind": "Service", "apiVersion": "v1", **service(12)})
    assert store.get("Service", "team", "rec") is not None


def test_what_was_deleted_is_not_brought_back_by_what_was_read_before():
    store = Store()
    heard(store, "DELETED", 12)
    heard(store, "MODIFIED", 11)
    assert store.get("Service", "team", "rec") is None
