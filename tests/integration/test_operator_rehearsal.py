"""A rehearsal's token and marks, on a real API server and by the operator's own rights."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_process import WRITES, Operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("default_registry")]
NAMESPACE = "team-rehearsal"


def secrets(objects: Objects) -> list[dict[str, Any]]:
    every = objects.list("Secret", NAMESPACE)
    return [each for each in every if "-rehearsal-" in each["metadata"]["name"]]


def marks(objects: Objects) -> set[str]:
    config = objects.get("ConfigMap", NAMESPACE, "trains-digests") or {}
    return {key for key in config.get("data", {}) if key.startswith("had-traffic.")}


def test_the_token_is_made_once_and_what_has_had_the_traffic_is_marked(
    running: Operator, objects: Objects, mlflow_url: str
):
    stage, mlflow = Stage(objects, NAMESPACE), Mlflow(mlflow_url)
    first, second = mlflow.register("trains"), mlflow.register("trains")
    mlflow.promote("trains", first)
    stage.apply("trains", "trains", rollout={"bake": "1s", "rehearsal": {}})
    until(lambda: stage.look() and len(marks(objects)) == 1)
    (made,) = secrets(objects)
    uid = stage.views()["trains"].live["metadata"]["uid"]
    assert made["metadata"]["name"] == f"trains-rehearsal-{uid[:8]}"
    assert made["metadata"]["ownerReferences"][0]["uid"] == uid
    assert len(base64.b64decode(made["data"]["token"])) == 64
    mlflow.promote("trains", second)
    until(lambda: stage.look() and len(marks(objects)) == 2)
    stage.serves("trains", second)
    assert secrets(objects) == [made]
    written = running.rests()
    assert running.metric(WRITES) == written
    objects.delete("ModelDeployment", NAMESPACE, "trains")
