"""What a list brings into the store, and what it says about things that it does not show."""

import asyncio
from typing import Any

import pytest

from pennant_operator.observe.cluster.listing import relist
from pennant_operator.observe.cluster.store import Store

pytestmark = pytest.mark.unit

LABELS = {"app.kubernetes.io/managed-by": "pennant", "pennant.dev/deployment": "rec"}
AT = ("Service", "team", "rec")


class EmptyCluster:
    """The API server's lists at resourceVersion 100, with nothing in them but what is given."""

    def __init__(self, *there: dict[str, Any]) -> None:
        self.there = there

    async def pages(self, kind: str, namespace: str | None, selector: str = ""):
        yield [each for each in self.there if each["kind"] == kind], 100


def service(version: str = "10", **labels: str) -> dict[str, Any]:
    meta = {"name": "rec", "namespace": "team", "uid": "s1", "resourceVersion": version}
    return {"kind": "Service", "metadata": {**meta, "labels": labels}}


def test_a_child_that_no_list_shows_any_more_went_away():
    store = Store()
    store.put(service(**LABELS))
    assert asyncio.run(relist(EmptyCluster(), store, ())) == {("team", "rec")}
    assert store.get(*AT) is None


def test_somebody_elses_object_is_not_forgotten_because_no_list_by_our_label_shows_it():
    store = Store()
    store.put(service(app="theirs"))
    assert asyncio.run(relist(EmptyCluster(), store, ())) == set()
    assert store.get(*AT) is not None


def test_a_change_that_a_deaf_watch_did_not_tell_of_is_looked_at():
    store = Store()
    store.put(service(**LABELS))
    changed = service("20", **LABELS, hand="made")
    assert asyncio.run(relist(EmptyCluster(changed), store, ())) == {("team", "rec")}
    assert store.get(*AT) == changed


def test_what_the_watch_told_already_is_no_news():
    store = Store()
    store.put(service("20", **LABELS))
    assert asyncio.run(relist(EmptyCluster(service("20", **LABELS)), store, ())) == set()


def test_a_child_made_since_the_list_began_is_not_taken_for_gone():
    store = Store()
    store.put(service("101", **LABELS))
    assert asyncio.run(relist(EmptyCluster(), store, ())) == set()
    assert store.get(*AT) is not None
