"""Packages that a bundle brings, on a real API server: pinned with the traffic, or waited for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_process import Operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.control_plane.pretended_kubelet import ready
from pennant_testing.memory.object_builders import installed, locked
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("default_registry")]
NAMESPACE = "team-environments"
INDEX = "https://packages.example/simple"
BUNDLE = {"environment": "Bundle"}


@pytest.fixture
def stage(objects: Objects, mlflow_url: str) -> Stage:
    """Beside `default`, a ModelRegistry that says where packages may come from."""
    stage = Stage(objects, NAMESPACE)
    environments = {"indexURL": INDEX, "credentialsSecret": "package-index"}
    stage.registry("packages", mlflow_url, environments=environments)
    return stage


def config(objects: Objects, name: str) -> dict[str, Any]:
    data: dict[str, Any] = (objects.get("ConfigMap", NAMESPACE, name) or {}).get("data", {})
    return data


def promoted(mlflow: Mlflow, model: str) -> str:
    version = mlflow.register(model)
    mlflow.promote(model, version)
    return version


def test_packages_are_pinned_with_the_traffic_and_another_index_rolls_nothing(
    running: Operator, objects: Objects, mlflow_url: str, stage: Stage
):
    version = promoted(Mlflow(mlflow_url), "wheels")
    stage.apply("wheels", "wheels", registry="packages")
    before = stage.serves("wheels", version)
    assert "environment" not in before.status["serving"]
    stage.kubelet.fates["wheels", version] = ready(environment=installed("a"))
    stage.apply("wheels", "wheels", registry="packages", serving=BUNDLE)
    stage.sees("wheels", lambda seen: "environment" in seen.status["serving"])
    serving = stage.serves("wheels", version).status["serving"]
    assert serving["environment"] == "a" * 64
    assert serving["revision"] != before.status["serving"]["revision"]
    assert stage.views()["wheels"].status["history"][0]["environment"] == "a" * 64
    pin = config(objects, "wheels-digests")[f"environment.{serving['revision']}"]
    assert json.loads(pin) == installed("a")
    assert config(objects, "wheels-registry")["index-url"] == INDEX
    running.rests()
    before_index = stage.written()["wheels"]
    stage.registry("packages", mlflow_url, environments={"indexURL": f"{INDEX}/new"})
    until(lambda: config(objects, "wheels-registry")["index-url"] == f"{INDEX}/new")
    running.rests()
    changed = before_index.items() ^ stage.written()["wheels"].items()
    assert {child for child, _ in changed} == {"ConfigMap/wheels-registry"}
    assert stage.views()["wheels"].status["serving"] == serving


def test_pods_with_different_packages_get_no_traffic(
    running: Operator, mlflow_url: str, stage: Stage
):
    version = promoted(Mlflow(mlflow_url), "restless")
    each = tuple(ready(environment=installed(packages)) for packages in "ab")
    stage.kubelet.fates["restless", version] = each
    stage.apply("restless", "restless", registry="packages", replicas=2, serving=BUNDLE)
    stage.sees("restless", lambda seen: seen.summary == "Held")
    candidate = stage.views()["restless"].status["candidate"]
    assert candidate["reason"] == "DownloadFailed"
    assert f"environments {'a' * 64}, {'b' * 64}" in candidate["message"]
    until(lambda: stage.look() and stage.revisions("restless") == set())
    stage.kubelet.fates["restless", version] = each[0]
    assert "rejected" not in stage.serves("restless", version).status


def test_without_an_index_no_pod_is_begun_and_what_serves_goes_on(
    running: Operator, mlflow_url: str, stage: Stage
):
    version = promoted(Mlflow(mlflow_url), "closed")
    stage.apply("closed", "closed")
    before = stage.serves("closed", version).status["serving"]
    stage.kubelet.fates["closed", version] = ready(environment=installed("c"))
    stage.apply("closed", "closed", serving=BUNDLE)
    stage.sees("closed", lambda seen: seen.reason("AliasInSync") == "ConfigurationError")
    view = stage.views()["closed"]
    assert (view.summary, view.status["serving"]) == ("Held", before)
    assert "spec.environments.indexURL" in view.condition("AliasInSync")["message"]
    assert stage.revisions("closed") == {before["revision"]}
    stage.registry("default", mlflow_url, environments={"indexURL": INDEX})
    stage.sees("closed", lambda seen: seen.status["serving"].get("environment") == "c" * 64)


def test_a_version_is_held_while_its_tag_locks_nothing_and_then_has_the_packages_of_its_lock(
    running: Operator, objects: Objects, mlflow_url: str, stage: Stage
):
    mlflow, tag = Mlflow(mlflow_url), "pennant.environment"
    version = mlflow.register("locked", **{tag: "pinned"})
    mlflow.promote("locked", version)
    stage.kubelet.fates["locked", version] = ready(environment=installed("d"))
    stage.apply("locked", "locked", registry="packages", serving=BUNDLE)
    stage.sees("locked", lambda seen: seen.reason("Stalled") == "ConfigurationError")
    message = stage.views()["locked"].condition("Stalled")["message"]
    assert "the version's tag pennant.environment 'pinned' is no JSON" in message
    assert stage.revisions("locked") == set()

    mlflow.client.set_model_version_tag("locked", version, tag, locked("d"))
    serving = stage.serves("locked", version).status["serving"]
    assert serving["environment"] == "d" * 64
    assert f"environment.{serving['revision']}" not in config(objects, "locked-digests")
    (deployment,) = (each for each in stage.deployments("locked") if each["spec"]["replicas"])
    fetch = deployment["spec"]["template"]["spec"]["initContainers"][0]
    env = {each["name"]: each.get("value") for each in fetch["env"]}
    assert env["PENNANT_PINNED_ENVIRONMENT"] == locked("d").replace("$", "$$")

    mlflow.client.set_model_version_tag("locked", version, tag, locked("e"))
    stage.apply("locked", "locked", registry="packages", serving=BUNDLE, replicas=2)
    stage.sees("locked", lambda seen: seen.status.get("readyReplicas") == 2)
    assert stage.views()["locked"].status["serving"] == serving
