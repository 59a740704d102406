"""The operator's process on a real API server and a real MLflow 2: stages, ScaleDown, fetch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from mlflow import MlflowClient

from pennant_dev.controlplane import ControlPlane
from pennant_dev.settings import Settings
from pennant_dev.shell import run
from pennant_serving.fetch import fetch
from pennant_serving.fetch.settings import FetchSettings
from pennant_testing.control_plane.applied_objects import model_registry
from pennant_testing.control_plane.objects import NAMESPACE, Objects
from pennant_testing.control_plane.operator_process import operator
from pennant_testing.control_plane.pretended_kubelet import PretendedKubelet
from pennant_testing.mlflow.registry_polls import to_stage, version
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

NAME = "news"


@dataclass(frozen=True)
class Team:
    """A namespace whose pods are always what its Deployments ask for."""

    objects: Objects
    kubelet: PretendedKubelet
    namespace: str

    def apply(self, **spec: Any) -> None:
        self.objects.apply(
            {
                "apiVersion": "pennant.dev/v1alpha1",
                "kind": "ModelDeployment",
                "metadata": {"name": NAME, "namespace": self.namespace},
                "spec": {"replicas": 2, "rollout": {"bake": "1s"}, **spec},
            }
        )

    def condition(self, kind: str) -> tuple[str, str]:
        """Reason and message of a condition, once pods are as they should be."""
        self.kubelet.work()
        live = self.objects.get("ModelDeployment", self.namespace, NAME) or {}
        conditions = live.get("status", {}).get("conditions", ())
        match = next((c for c in conditions if c["type"] == kind), {})
        return match.get("reason", ""), match.get("message", "")

    def sizes(self) -> dict[str, int]:
        deployments = self.objects.list("Deployment", self.namespace)
        return {each["metadata"]["name"]: each["spec"].get("replicas", 0) for each in deployments}

    def template(self) -> dict[str, Any]:
        """The pod template of the slot that has pods."""
        found = self.objects.list("Deployment", self.namespace)
        (active,) = (each for each in found if each["spec"].get("replicas"))
        return active["spec"]["template"]


@pytest.fixture(scope="module")
def followed(
    operator_config: Path,
    objects: Objects,
    mlflow2_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Objects]:
    """An operator follows the MLflow 2 server."""
    objects.apply(model_registry(NAMESPACE, mlflow2_url))
    with operator(operator_config, tmp_path_factory.mktemp("operator")):
        yield objects


@pytest.fixture
def team(followed: Objects) -> Iterator[Team]:
    namespace = followed.namespace(f"team-{uuid4().hex[:8]}")
    yield Team(followed, PretendedKubelet(followed, namespace), namespace)
    if followed.get("ModelDeployment", namespace, NAME):
        followed.delete("ModelDeployment", namespace, NAME)


@pytest.fixture
def client(mlflow2_url: str) -> Iterator[MlflowClient]:
    mlflow = MlflowClient(mlflow2_url)
    mlflow.create_registered_model(NAME)
    version(mlflow, NAME)
    yield mlflow
    mlflow.delete_registered_model(NAME)


def test_a_stage_is_followed_and_its_competing_versions_are_named(
    team: Team, client: MlflowClient, plane: ControlPlane
):
    """And kubectl shows the stage in the column of the alias."""
    team.apply(model={"name": NAME, "stage": "Production"})
    until(lambda: team.condition("AliasInSync")[0] == "StageEmpty")
    to_stage(client, NAME, "1", "Production")
    first = "stage Production holds version 1, which serves"
    until(lambda: team.condition("AliasInSync") == ("InSync", first))
    to_stage(client, NAME, version(client, NAME), "Production")
    both = "stage Production holds versions 1 and 2; the highest serves"
    until(lambda: team.condition("AliasInSync") == ("InSync", both))
    to_stage(client, NAME, "2", "Archived")  # a rollback, as MLflow 2 does it
    until(lambda: team.condition("AliasInSync")[1] == first)
    kubectl = [Settings.from_env().bin / "kubectl", "--kubeconfig", plane.kubeconfig]
    command = [*kubectl, "-n", team.namespace, "get", "mldep", "--no-headers"]
    env = os.environ | {"KUBECACHEDIR": str(plane.folder / "cache")}
    shown = run(command, env=env).split()
    assert shown[:4] == [NAME, NAME, "Production", "1"]


def test_an_alias_removed_from_mlflow_2_scales_down_and_comes_back(
    team: Team, client: MlflowClient
):
    client.set_registered_model_alias(NAME, "production", "1")
    team.apply(model={"name": NAME, "alias": "production"}, onAliasRemoved="ScaleDown")
    until(lambda: team.condition("Ready")[0] == "Serving")
    before = set(team.sizes())
    client.delete_registered_model_alias(NAME, "production")
    until(lambda: team.condition("Ready")[0] == "ScaledDown")
    until(lambda: not any(team.sizes().values()))
    assert set(team.sizes()) == before
    assert team.objects.get("Service", team.namespace, NAME)
    client.set_registered_model_alias(NAME, "production", "1")
    until(lambda: team.condition("AliasInSync")[0] == "InSync")
    until(lambda: team.condition("Ready")[0] == "Serving")


def test_a_model_that_is_gone_altogether_keeps_what_serves(team: Team, client: MlflowClient):
    client.set_registered_model_alias(NAME, "production", "1")
    team.apply(model={"name": NAME, "alias": "production"}, onAliasRemoved="ScaleDown")
    until(lambda: team.condition("Ready")[0] == "Serving")
    client.rename_registered_model(NAME, "moved-away")
    until(lambda: team.condition("AliasInSync")[0] == "ModelNotFound")
    assert team.condition("Ready")[0] == "Serving"
    client.rename_registered_model("moved-away", NAME)


def test_fetch_gets_what_the_operator_wrote_into_the_pod(
    team: Team, client: MlflowClient, mlflow2_url: str, tmp_path: Path
):
    client.set_registered_model_alias(NAME, "production", "1")
    team.apply(model={"name": NAME, "alias": "production"})
    until(lambda: team.condition("Ready")[0] == "Serving")
    (container,) = team.template()["spec"]["initContainers"]
    env = {each["name"]: each["value"] for each in container["env"] if "value" in each}
    del env["PENNANT_MODEL_SHA256"]  # what the pretended pods report, not that of the bytes
    env |= {
        "PENNANT_REGISTRY_URL": mlflow2_url,  # comes from a ConfigMap, and the paths are the pod's
        "PENNANT_MODEL_PATH": str(tmp_path / "bundle"),
        "PENNANT_TERMINATION_LOG": str(tmp_path / "log"),
    }
    fetched, _ = fetch(FetchSettings.from_env(env))
    assert (fetched.model, fetched.version, fetched.kind) == (NAME, "1", "file")
    assert (tmp_path / "bundle" / "newsreco.pkl").read_text() == "bytes"
