"""What a list brings into the store, and what it says about things that it does not show."""

import asyncio
from typing import Any

import pytest

from pennant_operator.observe.listing import relist
from pennant_operator.observe.store import Store

pytestmark = pytest.mark.unit

LABELS = {"app.kubernetes.io/managed-by": "pennant", "pennant.dev/deployment": "rec"}
AT = ("Service", "team", "rec")


class EmptyCluster:
    """The API server's lists, with nothing in them, at resourceVersion 100."""

    async def pages(self, kind: str, namespace: str | None, selector: str = ""):
        yield [], 100


def service(**labels: str) -> dict[str, Any]:
    meta = {"name": "rec", "namespace": "team", "uid": "s1", "resourceVersion": "10"}
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
