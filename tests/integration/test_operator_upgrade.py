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

from pennant_operator.decide.vocabulary import FIELD_MANAGER
from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_process import WRITES, Operator, operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

FIXTURE = Path(__file__).parents[1] / "fixtures" / "older-render.yaml"
NAME, MODEL = "older", "older-render"
CREATED = 1763726400000  # of version 1, in the registry: the name of its revision is made from it
OLD_IMAGE, NEW_IMAGE = "pennant-serving:0.0.1", "pennant-serving:newer"
POLLED = 'pennant_registry_last_success_timestamp_seconds{registry="default"}'


# A namespace for each test, and of its own the alias, so that one moves alone.
UNTOUCHED, GROWS, EDITED, DELETED, MOVES = "untouched", "grows", "edited", "deleted", "moves"
WHERE = (UNTOUCHED, GROWS, EDITED, DELETED, MOVES)


@dataclass
class Older:
    """What the older operator left, in one of the namespaces."""

    stage: Stage
    mlflow: Mlflow
    alias: str

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

    def promote(self, version: str) -> None:
        self.mlflow.client.set_registered_model_alias(MODEL, self.alias, version)


@dataclass(frozen=True)
class Upgrade:
    """What was found of it: children before and after, writes, how it ended, and writes anew."""

    before: list[dict[str, Any]]
    after: list[dict[str, Any]]
    wrote: float
    exit_code: int
    wrote_again: float


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


@pytest.fixture(scope="module")
def older(objects: Objects, version_1: Mlflow, mlflow_url: str) -> dict[str, Older]:
    return {name: left(objects, version_1, mlflow_url, name) for name in WHERE}


def left(objects: Objects, mlflow: Mlflow, mlflow_url: str, name: str) -> Older:
    namespace = f"older-{name}"
    older = Older(Stage(objects, namespace), mlflow, alias=name)
    older.stage.registry("default", mlflow_url)
    older.promote("1")
    text = FIXTURE.read_text().replace("http://mlflow.example:5000", mlflow_url)
    text = text.replace("production", older.alias)
    text = text.replace(f"namespace: {MODEL}", f"namespace: {namespace}")
    text = text.replace(f"{NAME}.{MODEL}.svc", f"{NAME}.{namespace}.svc")
    owner = yaml.safe_load(text.split("\n---\n")[0])
    status = owner.pop("status")
    uid = objects.apply(owner)["metadata"]["uid"]
    for child in yaml.safe_load_all(text.partition("\n---\n")[2].replace(f"uid-of-{NAME}", uid)):
        objects.apply(child, manager=FIELD_MANAGER)
    objects.patch_status("ModelDeployment", namespace, NAME, status)
    older.stage.kubelet.work()
    return older


@pytest.fixture(scope="module")
def upgrade(
    operator_config: Path, older: dict[str, Older], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Upgrade]:
    """Today's operator, with another serving image, came, looked at what there is, and ended.

    Another one runs since then.
    """
    folder, environ = tmp_path_factory.mktemp("upgrade"), {"PENNANT_SERVING_IMAGE": NEW_IMAGE}
    before = written(older)
    with operator(operator_config, folder, **environ) as newer:
        until(lambda: {each.image("serving") for each in older.values()} == {OLD_IMAGE})
        looked_around(newer)
        writes_before = newer.metric(f'{WRITES}{{code="200",kind="ModelRegistry"')
        wrote = newer.rests() - writes_before
        exit_code = newer.stop()
    after = written(older)
    with operator(operator_config, folder, **environ) as newest:
        looked_around(newest)
        yield Upgrade(before, after, wrote, exit_code, newest.metric(WRITES))


def written(older: dict[str, Older]) -> list[dict[str, Any]]:
    return [each.stage.written() for each in older.values()]


def looked_around(started: Operator) -> None:
    until(lambda: started.metric("pennant_reconcile_duration_seconds_count") >= len(WHERE))
    began = until(lambda: started.metric(POLLED))
    until(lambda: started.metric(POLLED) > began + 2)


def test_an_upgrade_writes_what_is_new_of_no_pod_and_tells_the_old_image_once(upgrade: Upgrade):
    for before, after in zip(upgrade.before, upgrade.after, strict=True):
        (written,) = {child for child in after[NAME] if after[NAME][child] != before[NAME][child]}
        assert written == f"PodDisruptionBudget/{NAME}-blue"  # a tenth in place of one pod
    assert upgrade.wrote == 2 * len(WHERE)  # that, and the image in the status of each
    assert upgrade.exit_code == 0
    assert upgrade.wrote_again == 0


def test_more_replicas_are_pods_of_the_recorded_render(upgrade: Upgrade, older: dict[str, Older]):
    found = older[GROWS]
    before = found.deployment
    found.patch("ModelDeployment", NAME, {"spec": {"replicas": 3}})
    until(lambda: found.deployment["spec"]["replicas"] == 3)
    assert found.deployment["spec"]["template"] == before["spec"]["template"]
    found.stage.serves(NAME, "1")


def test_an_edit_by_hand_is_mended_from_the_record(upgrade: Upgrade, older: dict[str, Older]):
    found = older[EDITED]
    before = copy.deepcopy(found.deployment["spec"]["template"])
    found.patch("Deployment", f"{NAME}-blue", {
        "spec": {"template": {"metadata": {"annotations": {"pennant.dev/model-version": "99"}}}}
    })  # fmt: skip
    until(lambda: found.deployment["spec"]["template"] == before)


def test_a_deleted_deployment_comes_back_as_it_was_recorded(
    upgrade: Upgrade, older: dict[str, Older]
):
    found = older[DELETED]
    before, stage = found.deployment, found.stage
    stage.objects.delete("Deployment", stage.namespace, f"{NAME}-blue")
    until(lambda: stage.objects.get("Deployment", stage.namespace, f"{NAME}-blue"))
    assert found.deployment["metadata"]["uid"] != before["metadata"]["uid"]
    assert found.deployment["spec"] == before["spec"]


def test_the_next_move_is_rendered_anew_beside_the_old(upgrade: Upgrade, older: dict[str, Older]):
    found = older[MOVES]
    before = found.deployment["spec"]["template"]
    second = found.mlflow.register(MODEL)
    found.promote(second)
    until(lambda: NEW_IMAGE in {found.image("candidate"), found.image("serving")})
    assert found.deployment["spec"]["template"] == before
    view = found.stage.serves(NAME, second)
    assert view.status["serving"]["image"] == NEW_IMAGE
    (active,) = (d for d in found.stage.deployments(NAME) if d["spec"]["replicas"])
    old, new = (serving_container(each) for each in (before, active["spec"]["template"]))
    assert old["readinessProbe"] != new["readinessProbe"]  # else this module would show nothing


def serving_container(template: dict[str, Any]) -> dict[str, Any]:
    (serve,) = template["spec"]["containers"]
    return dict(serve)
