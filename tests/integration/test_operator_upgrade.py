"""A newer operator finds what an older one wrote: nothing is rolled by that alone (law 5).

The objects are those of an older commit's own render (fixtures/older-render.yaml): a field that is
rendered otherwise since then, another image, or another name for the same revision would show.
"""

from __future__ import annotations

import contextlib
import copy
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow_server import Mlflow
from objects import Objects
from operator_process import WRITES, Operator, operator
from operator_stage import Stage
from waiting import until

from pennant_dev.controlplane import ControlPlane
from pennant_operator.decide.vocabulary import FIELD_MANAGER

pytestmark = pytest.mark.integration

FIXTURE = Path(__file__).parents[1] / "fixtures" / "older-render.yaml"
NAME, MODEL = "older", "older-render"
CREATED = 1763726400000  # of version 1, in the registry: the name of its revision is made from it
OLD_IMAGE, NEW_IMAGE = "pennant-serving:0.0.1", "pennant-serving:newer"
POLLED = 'pennant_registry_last_success_timestamp_seconds{registry="default"}'


@dataclass
class Older:
    """What the older operator left, in a namespace of the test's own."""

    stage: Stage
    mlflow: Mlflow

    @property
    def deployment(self) -> dict[str, Any]:
        """The one that serves."""
        live = self.stage.objects.get("Deployment", self.stage.namespace, f"{NAME}-blue")
        assert live is not None
        return live

    def image(self, which: str) -> str | None:
        return self.stage.view(NAME).status.get(which, {}).get("image")

    def patch(self, kind: str, name: str, body: dict[str, Any]) -> None:
        self.stage.objects.patch(kind, self.stage.namespace, name, body)


@pytest.fixture(scope="module")
def version_1(mlflow_url: str, mlflow_folder: Path) -> Mlflow:
    """The registry as the older operator knew it."""
    mlflow = Mlflow(mlflow_url)
    assert mlflow.register(MODEL) == "1"
    with contextlib.closing(sqlite3.connect(mlflow_folder / "mlflow.db", timeout=30)) as database:
        database.execute(
            "UPDATE model_versions SET creation_time = ? WHERE name = ?", (CREATED, MODEL)
        )
        database.commit()
    return mlflow


@pytest.fixture
def older(
    objects: Objects, version_1: Mlflow, mlflow_url: str, request: pytest.FixtureRequest
) -> Iterator[Older]:
    namespace = f"older-{abs(hash(request.node.name)) % 10**8}"
    stage = Stage(objects, namespace)
    stage.registry("default", mlflow_url)
    version_1.promote(MODEL, "1")
    text = FIXTURE.read_text().replace("http://mlflow.example:5000", mlflow_url)
    text = text.replace(f"namespace: {MODEL}", f"namespace: {namespace}")
    text = text.replace(f"{NAME}.{MODEL}.svc", f"{NAME}.{namespace}.svc")
    owner = yaml.safe_load(text.split("\n---\n")[0])
    status = owner.pop("status")
    uid = objects.apply(owner)["metadata"]["uid"]
    for child in yaml.safe_load_all(text.partition("\n---\n")[2].replace(f"uid-of-{NAME}", uid)):
        objects.apply(child, manager=FIELD_MANAGER)
    objects.patch_status("ModelDeployment", namespace, NAME, status)
    stage.kubelet.work()
    yield Older(stage, version_1)
    stage.clear()


@pytest.fixture
def newer(plane: ControlPlane, older: Older, tmp_path: Path) -> Iterator[Operator]:
    """Today's operator, with another serving image, once it has looked at what there is."""
    with operator(plane.kubeconfig, tmp_path, PENNANT_SERVING_IMAGE=NEW_IMAGE) as started:
        looked_around(started)
        yield started


def looked_around(started: Operator) -> None:
    until(lambda: started.metric("pennant_reconcile_duration_seconds_count") > 0)
    began = until(lambda: started.metric(POLLED))
    until(lambda: started.metric(POLLED) > began + 2)


def test_an_upgrade_writes_no_child_and_tells_the_old_image_once(
    plane: ControlPlane, older: Older, tmp_path: Path
):
    before = older.stage.written()
    environ = {"PENNANT_SERVING_IMAGE": NEW_IMAGE}
    with operator(plane.kubeconfig, tmp_path, **environ) as newer:
        until(lambda: older.image("serving") == OLD_IMAGE)
        looked_around(newer)
        told = newer.metric(f'{WRITES}{{code="200",kind="ModelRegistry"')
        assert newer.rests() - told == 1  # the image, in the status
        assert newer.stop() == 0
    assert older.stage.written() == before
    with operator(plane.kubeconfig, tmp_path, **environ) as newest:
        looked_around(newest)
        assert newest.metric(WRITES) == 0


def test_more_replicas_are_pods_of_the_recorded_render(newer: Operator, older: Older):
    before = older.deployment
    older.patch("ModelDeployment", NAME, {"spec": {"replicas": 3}})
    until(lambda: older.deployment["spec"]["replicas"] == 3)
    assert older.deployment["spec"]["template"] == before["spec"]["template"]
    older.stage.serves(NAME, "1")


def test_an_edit_by_hand_is_mended_from_the_record(newer: Operator, older: Older):
    before = copy.deepcopy(older.deployment["spec"]["template"])
    older.patch("Deployment", f"{NAME}-blue", {
        "spec": {"template": {"metadata": {"annotations": {"pennant.dev/model-version": "99"}}}}
    })  # fmt: skip
    until(lambda: older.deployment["spec"]["template"] == before)


def test_a_deleted_deployment_comes_back_as_it_was_recorded(newer: Operator, older: Older):
    before, stage = older.deployment, older.stage
    stage.objects.delete("Deployment", stage.namespace, f"{NAME}-blue")
    until(lambda: stage.objects.get("Deployment", stage.namespace, f"{NAME}-blue"))
    assert older.deployment["metadata"]["uid"] != before["metadata"]["uid"]
    assert older.deployment["spec"] == before["spec"]


def test_the_next_move_is_rendered_anew_beside_the_old(newer: Operator, older: Older):
    before = older.deployment["spec"]["template"]
    second = older.mlflow.register(MODEL)
    older.mlflow.promote(MODEL, second)
    until(lambda: older.image("candidate") == NEW_IMAGE or older.image("serving") == NEW_IMAGE)
    assert older.deployment["spec"]["template"] == before
    view = older.stage.serves(NAME, second)
    assert view.status["serving"]["image"] == NEW_IMAGE
    (active,) = (d for d in older.stage.deployments(NAME) if d["spec"]["replicas"])
    old, new = (serving_container(each) for each in (before, active["spec"]["template"]))
    assert old["readinessProbe"] != new["readinessProbe"]  # else this module would show nothing


def serving_container(template: dict[str, Any]) -> dict[str, Any]:
    (serve,) = template["spec"]["containers"]
    return dict(serve)
