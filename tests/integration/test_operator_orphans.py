"""What a ModelDeployment left that was deleted with --cascade=orphan, by the real collector."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pennant_dev.controlplane import ControlPlane
from pennant_testing.control_plane.audit_log import USER, Audit
from pennant_testing.control_plane.garbage_collector import garbage_collector
from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_process import Operator, operator
from pennant_testing.control_plane.operator_stage import CHILDREN, Stage
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration
MODEL = "orphans"
# What one JSON writer spells otherwise than another, in the record of the revision.
ODD = {
    "env": [{"name": "ODD", "value": "<&> \x7f \u2028 \U0001f600 '\\"}],
    "resources": {"limits": {"cpu": 0.5, "memory": "1.5e9"}},
}


@pytest.fixture(scope="module")
def mlflow(mlflow_url: str) -> Mlflow:
    mlflow = Mlflow(mlflow_url)
    mlflow.promote(MODEL, mlflow.register(MODEL))
    return mlflow


@pytest.fixture(scope="module")
def running(
    plane: ControlPlane,
    objects: Objects,
    operator_config: Path,
    mlflow_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("orphans")
    Stage(objects, "team").registry("default", mlflow_url)
    with garbage_collector(plane, folder), operator(operator_config, folder) as started:
        yield started


@pytest.fixture
def stage(
    running: Operator, mlflow: Mlflow, objects: Objects, request: pytest.FixtureRequest
) -> Iterator[Stage]:
    stage = Stage(objects, f"orphans-{abs(hash(request.node.name)) % 10**8}")
    yield stage
    for name in stage.views():
        objects.delete("ModelDeployment", stage.namespace, name)


def children(stage: Stage) -> list[dict[str, Any]]:
    return [child for kind in CHILDREN for child in stage.objects.list(kind, stage.namespace)]


def orphan(stage: Stage, name: str) -> None:
    """Delete it as `kubectl delete --cascade=orphan` does."""
    stage.objects.delete("ModelDeployment", stage.namespace, name, propagation="Orphan")
    until(lambda: name not in stage.views())
    assert owners(stage) == {None}


def owners(stage: Stage) -> set[str | None]:
    references = [child["metadata"].get("ownerReferences", []) for child in children(stage)]
    return {ref["uid"] for refs in references for ref in refs} | {
        None for refs in references if not refs
    }


def held(stage: Stage, name: str) -> list[Any]:
    """What pods depend on."""
    pods = [pod["metadata"]["uid"] for pod in stage.objects.list("Pod", stage.namespace)]
    service = stage.objects.get("Service", stage.namespace, name)
    slots = [d["spec"] for d in stage.deployments(name)]
    traffic = service["spec"]["selector"], stage.active(name)["pennant.dev/active-slot"]
    return [sorted(pods), slots, traffic]


def test_orphans_are_adopted_and_what_serves_goes_on(
    running: Operator, stage: Stage, mlflow: Mlflow, audit: Audit
):
    first = "1"
    stage.apply("kept", MODEL, replicas=2, serving=ODD)
    stage.serves("kept", first)
    running.rests()
    before, kinds = held(stage, "kept"), {child["kind"] for child in children(stage)}
    assert kinds == set(CHILDREN)
    orphan(stage, "kept")
    stage.apply("kept", MODEL, replicas=2, serving=ODD)
    uid = stage.views()["kept"].live["metadata"]["uid"]
    until(lambda: owners(stage) == {uid})
    stage.serves("kept", first)
    running.rests()
    assert held(stage, "kept") == before
    assert stage.views()["kept"].status["serving"]["version"] == first
    since = audit.mark()
    running.rests(5)
    assert [w for w in audit.written(USER, since=since) if w.name.startswith("kept")] == []


def test_the_next_version_rolls_beside_what_was_adopted(
    running: Operator, stage: Stage, mlflow: Mlflow
):
    mlflow.client.create_registered_model("orphans-2")
    first = mlflow.register("orphans-2")
    mlflow.promote("orphans-2", first)
    stage.apply("rolls", "orphans-2")
    stage.serves("rolls", first)
    orphan(stage, "rolls")
    stage.apply("rolls", "orphans-2")
    stage.serves("rolls", first)
    second = mlflow.register("orphans-2")
    mlflow.promote("orphans-2", second)
    stage.serves("rolls", second)
    mlflow.promote("orphans-2", first)  # from its record, which holds the old owner's uid
    stage.serves("rolls", first)
    assert owners(stage) == {stage.views()["rolls"].live["metadata"]["uid"]}


def test_a_record_that_is_somebody_elses_is_named(stage: Stage, mlflow: Mlflow):
    stage.apply("named", MODEL)
    stage.serves("named", "1")
    (record,) = stage.objects.list("ControllerRevision", stage.namespace)
    stage.objects.delete("ModelDeployment", stage.namespace, "named")
    until(lambda: not children(stage))
    theirs = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": record["metadata"]["name"], "namespace": stage.namespace},
        "revision": 1,
        "data": {},
    }
    stage.objects.apply(theirs)
    stage.apply("named", MODEL)
    until(lambda: stage.views()["named"].reason("Stalled") == "NameConflict")
    message = stage.views()["named"].condition("Stalled")["message"]
    assert f"ControllerRevision/{record['metadata']['name']} exists" in message
    stage.objects.delete("ControllerRevision", stage.namespace, record["metadata"]["name"])
    stage.serves("named", "1")
