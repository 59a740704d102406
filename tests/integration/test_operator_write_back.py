"""What becomes of versions stands in their tags: a real MLflow with accounts, a real operator."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pennant_cli.decisions.audit import audit
from pennant_cli.decisions.log_lines import LogReader
from pennant_registry import promote
from pennant_registry.errors import RolloutHeldError, RolloutRejectedError
from pennant_testing.control_plane.objects import NAMESPACE, Objects
from pennant_testing.control_plane.operator_process import ALONE, Operator, operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.control_plane.pretended_kubelet import cannot_load
from pennant_testing.mlflow.basic_auth_server import ADMIN, Guarded, guarded
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration


@dataclass
class Scene:
    """A model that a reader reads and a writer tags, and ModelDeployments that follow it."""

    server: Guarded
    mlflow: Mlflow
    stage: Stage
    model: str
    writer: str

    def register(self) -> str:
        return self.mlflow.register(self.model)

    def promote(self, version: str) -> None:
        self.mlflow.promote(self.model, version)

    def may_write(self) -> None:
        self.server.may(self.writer, "EDIT", "registered_model", self.model)

    def said(self) -> dict[str, dict[str, str]]:
        """By version and ModelDeployment, the first word of the tag."""
        self.stage.look()
        prefix = f"pennant.eu-1.{self.stage.namespace}."
        return {
            version.version: {
                key.removeprefix(prefix): value.split(" ")[0]
                for key, value in version.tags.items()
                if key.startswith(prefix) and value and not key.endswith(".decision")
            }
            for version in self.mlflow.client.search_model_versions(f"name = '{self.model}'")
        }

    def waits_for(self, version: str) -> None:
        """What a pipeline does, while the cluster works."""
        where = f"eu-1/{self.stage.namespace}/rec"
        with ThreadPoolExecutor(1) as pipeline:
            promoting = pipeline.submit(
                promote, version, self.model, "production", wait="5m", where=where
            )
            until(lambda: (self.stage.look(), promoting.done())[1])
            assert promoting.result(0).version == int(version)

    def condition(self) -> dict[str, Any]:
        live = self.stage.objects.get("ModelRegistry", NAMESPACE, "default")
        conditions = live.get("status", {}).get("conditions", ())
        return next((c for c in conditions if c["type"] == "WriteBack"), {})

    def written(self, **expected: dict[str, str]) -> None:
        """Wait until versions have these tags; they are named as v1."""
        wanted = {version.removeprefix("v"): of for version, of in expected.items()}
        until(lambda: {v: of for v, of in self.said().items() if of} == wanted, seen=self.said)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded(tmp_path_factory.mktemp("guarded"), "") as started:
        yield started


@pytest.fixture
def scene(server: Guarded, objects: Objects, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", ADMIN[0])
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", ADMIN[1])
    model = f"m{uuid4().hex[:8]}"
    stage, mlflow = Stage(objects, f"told-{model}"), Mlflow(server.url)
    mlflow.promote(model, mlflow.register(model))
    for account in ("reader", "writer"):
        known = server.user(f"{account}-{model}")
        meta = {"name": account, "namespace": NAMESPACE}
        objects.apply({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": known})
    server.may_read(f"reader-{model}", "registered_model", model)
    server.may_read(f"reader-{model}", "experiment", "0")
    stage.registry(
        "default",
        server.url,
        credentialsSecret="reader",
        writeBack={"cluster": "eu-1", "credentialsSecret": "writer"},
    )
    yield Scene(server, mlflow, stage, model, f"writer-{model}")
    stage.clear()


@pytest.fixture
def alone(operator_config: Path, tmp_path: Path) -> Iterator[Operator]:
    """An operator for one test: another one begins anew."""
    with operator(operator_config, tmp_path, **ALONE) as started:
        yield started


def test_tags_say_what_serves_and_what_was_rejected_and_nothing_else_stays(
    scene: Scene, alone: Operator
):
    scene.may_write()
    scene.stage.apply("rec", scene.model)
    scene.written(v1={"rec": "serving"})
    broken = scene.register()
    scene.stage.kubelet.fates[scene.model, broken] = cannot_load()
    scene.promote(broken)
    scene.written(v1={"rec": "serving"}, v2={"rec": "rejected:"})
    scene.promote(scene.register())
    scene.written(v2={"rec": "rejected:"}, v3={"rec": "serving"})
    tag = f"pennant.eu-1.{scene.stage.namespace}.rec"
    until(lambda: tags(scene, "3")[tag].endswith(", good"))
    assert tags(scene, "2")[tag].startswith("rejected: LoadFailed: ")
    for version in ("2", "3"):
        head = tags(scene, version)[f"{tag}.decision"]
        audited = audit(LogReader([str(alone.log)]), [head])
        assert (audited.heads, audited.findings) == ({head: "found"}, [])
    assert scene.condition()["status"] == "True"
    scene.stage.objects.delete("ModelDeployment", scene.stage.namespace, "rec")
    scene.written()
    left = {key: text for each in "123" for key, text in tags(scene, each).items() if text}
    assert not any(key.startswith(tag) for key in left)


def test_an_account_that_may_not_write_is_named_and_no_rollout_waits_for_it(
    scene: Scene, alone: Operator
):
    scene.stage.apply("rec", scene.model)
    scene.stage.serves("rec", "1")
    until(lambda: scene.condition().get("status") == "False", seen=scene.condition)
    assert "does not let this account write its version tags" in scene.condition()["message"]
    scene.promote(scene.register())
    scene.stage.serves("rec", "2")
    assert alone.metric("pennant_registry_write_back_pending") == 1
    scene.may_write()
    scene.written(v2={"rec": "serving"})
    until(lambda: scene.condition()["status"] == "True", seen=scene.condition)


def test_what_changed_while_no_operator_ran_is_put_right_by_the_next_one(
    scene: Scene, operator_config: Path, tmp_path: Path
):
    scene.may_write()
    with operator(operator_config, tmp_path, **ALONE) as first:
        scene.stage.apply("rec", scene.model)
        scene.stage.apply("gone", scene.model)
        scene.written(v1={"rec": "serving", "gone": "serving"})
        first.kill()
    scene.stage.objects.delete("ModelDeployment", scene.stage.namespace, "gone")
    scene.promote(scene.register())
    with operator(operator_config, tmp_path, **ALONE):
        scene.written(v2={"rec": "serving"})
        scene.stage.registry(
            "default",
            scene.server.url,
            credentialsSecret="writer",
        )
        scene.written()
        until(lambda: not scene.condition())


def test_a_pipeline_waits_for_what_becomes_of_its_version_without_the_cluster(
    scene: Scene, alone: Operator, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", scene.server.url)
    scene.may_write()
    scene.stage.apply("rec", scene.model, gates={"tags": [{"key": "approved"}]})
    good, broken, unapproved = scene.register(), scene.register(), scene.register()
    scene.stage.kubelet.fates[scene.model, broken] = cannot_load()
    for version in (good, broken):
        scene.mlflow.client.set_model_version_tag(scene.model, version, "approved", "yes")
    assert scene.waits_for(good) is None
    with pytest.raises(RolloutRejectedError, match="rejected: LoadFailed: "):
        scene.waits_for(broken)
    with pytest.raises(RolloutHeldError, match=r"held: GateNotPassed: .*approved"):
        scene.waits_for(unapproved)
    assert alone.process.poll() is None


def test_a_cluster_made_anew_starts_from_the_last_good_version_where_the_alias_is_at_a_rejected_one(
    scene: Scene, operator_config: Path, tmp_path: Path
):
    """GitOps brings back the spec, and neither status nor records."""
    scene.may_write()
    tag, broken = f"pennant.eu-1.{scene.stage.namespace}.rec", scene.register()
    scene.stage.kubelet.fates[scene.model, broken] = cannot_load()
    with operator(operator_config, tmp_path, **ALONE) as first:
        scene.stage.apply("rec", scene.model)
        until(lambda: (scene.said(), tags(scene, "1").get(tag, "").endswith(", good"))[1])
        scene.promote(broken)
        scene.written(v1={"rec": "serving"}, v2={"rec": "rejected:"})
        first.kill()
    before = tags(scene, "1")[tag]
    scene.stage.burn_down()
    with operator(operator_config, tmp_path, **ALONE):
        scene.stage.apply("rec", scene.model)
        seen = scene.stage.sees("rec", lambda view: view.serving == "1" and not view.candidate)
        assert (seen.summary, seen.reason("AliasInSync")) == ("Rejected", "Rejected")
        assert seen.condition("Ready")["status"] == "True"
        assert [entry["version"] for entry in seen.status["rejected"]] == [broken]
        until(lambda: (scene.said(), tags(scene, "1")[tag] not in ("", before))[1])
        scene.written(v1={"rec": "serving"}, v2={"rec": "rejected:"})


def tags(scene: Scene, version: str) -> dict[str, str]:
    found = scene.mlflow.client.get_model_version(scene.model, version).tags
    return {str(key): str(value) for key, value in found.items()}
