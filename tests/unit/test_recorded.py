"""Whose records spare a registry a question after a restart: a ModelDeployment's own, and exact."""

from __future__ import annotations

from typing import Any

import pytest

from pennant_operator.decide.manifests import render
from pennant_operator.decide.registry.registries import parse_registry
from pennant_operator.decide.seen import spec
from pennant_operator.decide.seen.observed import ModelVersion, Unknown
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.cluster.store import Store
from pennant_operator.observe.poll.known import Known, WatchAnswer
from pennant_operator.observe.poll.poller import Poller, PollerDependencies
from pennant_operator.observe.poll.recorded import Pointed
from pennant_testing.memory.object_builders import IMAGES, NOW, model_deployment, version

pytestmark = pytest.mark.unit

WATCH = Watch("default", "news", alias="production")
AT = Pointed(100, "7")
RECORD = {
    "format": 1,
    "model": "news",
    "version": "7",
    "registry": "default",
    "created": 170,
    "registered": 100,
    "source": "mlflow-artifacts:/1/run/artifacts/m",
    "sha256": None,
    "manifest": render.deployment_of(
        spec.parse_spec(model_deployment()), version(7), "abc", IMAGES
    ),
}


def store(**record: Any) -> Store:
    """Two ModelDeployments that watch the same; `rec` has a record."""
    made = Store()
    for name in ("rec", "other"):
        meta = {"name": name, "namespace": "team", "uid": name, "resourceVersion": "1"}
        spec = {"registry": "default", "model": {"name": "news", "alias": "production"}}
        made.put({"kind": "ModelDeployment", "metadata": meta, "spec": spec})
    owner = {"uid": record.pop("owner", "rec"), "controller": True}
    meta = {"name": "rec-abc", "namespace": "team", "uid": "record", "resourceVersion": "2"}
    labels = {"pennant.dev/deployment": "rec", "pennant.dev/revision": "abc"}
    meta |= {"labels": labels, "ownerReferences": [owner]}
    data = {k: v for k, v in (RECORD | record).items() if v != "absent"}
    made.put({"kind": "ControllerRevision", "metadata": meta, "data": data})
    return made


def desired(store: Store, name: str = "rec", at: Pointed = AT, **spec: Any) -> Any:
    """What a poller says that knows where its server points, and has asked nothing more."""

    async def unused(_: Any) -> Any:
        raise AssertionError("nothing is asked here")

    given = {"url": "http://mlflow.example:5000", **spec}
    poller = Poller(
        parse_registry({"metadata": {"name": "default"}, "spec": given}),
        store,
        PollerDependencies(unused, list, unused, lambda *_: None, lambda: NOW, lambda: 0.5),
        Known({WATCH: WatchAnswer(at)}),
    )
    return poller.desired(WATCH, ("team", name))


def test_the_record_of_that_version_answers():
    found = desired(store())
    assert found == ModelVersion("news", "7", 170, RECORD["source"], None, 100)


@pytest.mark.parametrize(
    "record",
    [
        {"registry": "another"},
        {"model": "another"},
        {"version": "6"},
        {"registered": 99},
        {"registered": "absent", "created": "absent", "registry": "absent"},
        {"owner": "another"},
        {"source": "s3://bucket/m"},
    ],
    ids=str,
)
def test_any_other_record_leaves_it_to_the_registry(record: dict[str, Any]):
    assert isinstance(desired(store(**record)), Unknown)


def test_nobody_elses_record_answers():
    assert isinstance(desired(store(), "other"), Unknown)


def test_a_record_that_knows_no_time_answers_no_registry_that_tells_none():
    assert isinstance(desired(store(registered=0), at=Pointed(0, "7")), Unknown)


def test_a_source_that_is_allowed_by_now_answers():
    found = desired(store(source="s3://bucket/m"), allowedSources=["s3://bucket"])
    assert found.source == "s3://bucket/m"
