"""A database that is restored, emptied or stripped of its aliases, at one address all the time.

Real MLflow servers on real databases: one as it is, one on a backup of it from before the last
promotions, one empty. What the ModelRegistry names is a proxy, which leads to one of them.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pennant_testing.control_plane.objects import NAMESPACE, Objects
from pennant_testing.control_plane.operator_process import ALONE, Operator, operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.mlflow.lying_proxy import Proxy, lying_proxy
from pennant_testing.mlflow.mlflow_server import Mlflow, mlflow_server
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

MODELS = [f"braked-{number}" for number in range(6)]
PROMOTED = MODELS[:3]  # after the backup
SCALED = MODELS[0]  # with onAliasRemoved: ScaleDown


@dataclass(frozen=True)
class Databases:
    """The addresses of three servers."""

    live: str
    backup: str
    empty: str


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    live, backup, empty = (tmp_path_factory.mktemp(name) for name in ("live", "backup", "empty"))
    with contextlib.ExitStack() as servers:
        url = servers.enter_context(mlflow_server(live))
        mlflow = Mlflow(url)
        for model in MODELS:
            mlflow.promote(model, mlflow.register(model))
        _copy(live, backup)
        for model in PROMOTED:
            mlflow.promote(model, mlflow.register(model))
        yield Databases(
            url,
            servers.enter_context(mlflow_server(backup)),
            servers.enter_context(mlflow_server(empty)),
        )


def _copy(live: Path, backup: Path) -> None:
    """As a backup is made of a database that is in use."""
    of, to = sqlite3.connect(live / "mlflow.db"), sqlite3.connect(backup / "mlflow.db")
    with contextlib.closing(of), contextlib.closing(to):
        of.backup(to)


class Scene:
    """Six ModelDeployments that serve what the live database says, by one ModelRegistry."""

    def __init__(self, objects: Objects, databases: Databases, proxy: Proxy, name: str) -> None:
        self.stage, self.proxy, self.databases = Stage(objects, name), proxy, databases
        self.registry = name
        self.stage.registry(name, proxy.url, brake={})
        for model in MODELS:
            removed = {"onAliasRemoved": "ScaleDown"} if model == SCALED else {}
            self.stage.apply(model, model, registry=name, **removed)
        until(self.serves_what_is_live)

    def leads_to(self, url: str) -> None:
        """Another database at the same address."""
        self.proxy.target = url.removeprefix("http://")

    def serves_what_is_live(self) -> bool:
        seen = self.stage.look()
        return all(
            seen[model].settled_on("2" if model in PROMOTED else "1")
            and seen[model].reason("AliasInSync") == "InSync"
            for model in MODELS
        )

    def condition(self) -> dict[str, Any]:
        live = self.stage.objects.get("ModelRegistry", NAMESPACE, self.registry) or {}
        conditions = live.get("status", {}).get("conditions", ())
        return next((each for each in conditions if each["type"] == "Braked"), {})

    def braked(self) -> bool:
        return bool(self.condition().get("status") == "True")

    def stopped(self, *models: str) -> bool:
        """Held by the brake, and served as before."""
        seen = self.stage.look()
        return all(
            (seen[model].summary, seen[model].reason("AliasInSync")) == ("Held", "Braked")
            for model in models
        )

    def resume(self, name: str) -> None:
        action = {
            "apiVersion": "pennant.dev/v1alpha1",
            "kind": "RolloutAction",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"action": "Resume", "registry": self.registry, "reason": "it is work"},
        }
        self.stage.objects.apply(action)

    def state_of(self, action: str) -> str:
        live = self.stage.objects.get("RolloutAction", NAMESPACE, action) or {}
        return str(live.get("status", {}).get("state"))


@pytest.fixture
def braked_scene(
    request: pytest.FixtureRequest, objects: Objects, running: Operator, databases: Databases
) -> Iterator[Scene]:
    with lying_proxy(databases.live) as proxy:
        scene = Scene(objects, databases, proxy, f"brake-{request.node.name[5:35].strip('_')}"
                      .replace("_", "-"))  # fmt: skip
        yield scene
        scene.stage.clear()


def test_a_restored_backup_rolls_nothing_back_until_a_person_says_so(braked_scene: Scene):
    scene, written = braked_scene, braked_scene.stage.written()
    scene.leads_to(scene.databases.backup)
    until(lambda: scene.braked() and scene.stopped(*PROMOTED))
    assert "3 of 6 that are followed" in scene.condition()["message"]
    assert "alias production of braked-0 version 1 (was 2)" in scene.condition()["message"]
    assert {v.serving for n, v in scene.stage.look().items() if n in PROMOTED} == {"2"}
    assert scene.stage.written() == written
    scene.resume("resume-restored")
    until(lambda: scene.stage.all_serve("1", MODELS))
    assert scene.state_of("resume-restored") == "Done"
    assert scene.condition()["reason"] == "Resumed"


def test_the_right_database_again_ends_it_and_nothing_was_rolled(braked_scene: Scene):
    scene, written = braked_scene, braked_scene.stage.written()
    for wrong in (scene.databases.backup, scene.databases.empty):
        scene.leads_to(wrong)
        until(lambda: scene.braked() and scene.stopped(*PROMOTED))
        scene.leads_to(scene.databases.live)
        until(lambda: not scene.braked() and scene.serves_what_is_live())
        assert scene.stage.written() == written
    assert scene.condition()["reason"] == "NotBraked"


def test_aliases_that_are_deleted_together_scale_nothing_down(braked_scene: Scene):
    scene, written = braked_scene, braked_scene.stage.written()
    mlflow = Mlflow(scene.databases.live)
    scene.proxy.refuse()  # what is deleted one by one is seen at one poll
    for model in PROMOTED:
        mlflow.client.delete_registered_model_alias(model, "production")
    scene.proxy.listen()
    until(lambda: scene.braked() and scene.stopped(*PROMOTED))
    assert scene.stage.written() == written
    for model in PROMOTED:
        mlflow.promote(model, "2")
    until(lambda: not scene.braked() and scene.serves_what_is_live())
    assert scene.stage.written() == written


def test_an_operator_that_is_killed_meanwhile_knows_where_they_were(
    objects: Objects, operator_config: Path, databases: Databases, tmp_path: Path
):
    with contextlib.ExitStack() as stack:
        proxy = stack.enter_context(lying_proxy(databases.live))
        with operator(operator_config, tmp_path, **ALONE) as first:
            scene = Scene(objects, databases, proxy, "brake-killed")
            written = scene.stage.written()
            scene.leads_to(databases.backup)
            until(lambda: scene.braked() and scene.stopped(*PROMOTED))
            first.kill()
        versions = scene.stage.versions()
        with operator(operator_config, tmp_path, **ALONE) as second:
            second.rests()
            assert scene.stage.versions() == versions
            assert scene.braked()
            second.kill()
        scene.leads_to(databases.live)
        with operator(operator_config, tmp_path, **ALONE):
            until(lambda: not scene.braked() and scene.serves_what_is_live())
            assert scene.stage.written() == written
        scene.leads_to(databases.backup)  # while nobody looks
        with operator(operator_config, tmp_path, **ALONE):
            until(lambda: scene.braked() and scene.stopped(*PROMOTED))
            assert scene.stage.written() == written
        scene.stage.clear()
