"""Images that versions bring, of a real operator over a real MLflow: by the tags of versions."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_process import operator
from pennant_testing.control_plane.operator_stage import Stage
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

DIGEST = "sha256:" + "0123456789abcdef" * 4
NEWS = f"registry.example.com/ml/news@{DIGEST}"
ALLOWED = ["registry.example.com/ml/*@sha256:*"]


def images(stage: Stage, name: str) -> set[str]:
    """Of all pods that there should be."""
    return {
        each["spec"]["template"]["spec"]["containers"][0]["image"]
        for each in stage.deployments(name)
        if each["spec"]["replicas"]
    }


def test_a_version_is_held_while_its_image_may_not_run_and_then_serves_from_it(
    objects: Objects, operator_config: Path, mlflow_url: str, tmp_path: Path
):
    name = f"m{uuid4().hex[:8]}"
    stage, mlflow = Stage(objects, f"images-{name}"), Mlflow(mlflow_url)
    tag = mlflow.client.set_model_version_tag

    def refused() -> bool:
        return stage.view(name).reason("AliasInSync") == "ImageNotAllowed"

    stage.registry("default", mlflow_url, pollInterval="1s", allowedImages=ALLOWED)
    first, second = mlflow.register(name), mlflow.register(name)
    mlflow.promote(name, first)
    with operator(operator_config, tmp_path):
        stage.apply(name, name)
        stage.serves(name, first)
        usual = images(stage, name)

        tag(name, second, "pennant.image", "registry.example.com/ml/news:latest")
        mlflow.promote(name, second)
        until(refused)
        held = stage.view(name)
        message = held.condition("AliasInSync")["message"]
        assert "pennant.image 'registry.example.com/ml/news:latest' is not pinned" in message
        assert (held.serving, held.summary, images(stage, name)) == (first, "Held", usual)
        assert held.reason("Stalled") == "NotStalled"

        tag(name, second, "pennant.image", NEWS)  # is read again while it is refused
        assert stage.serves(name, second).status["serving"]["image"] == NEWS
        until(lambda: stage.look() and images(stage, name) == {NEWS})

        tag(name, second, "pennant.image", "anything")
        stage.registry("default", mlflow_url, pollInterval="1s", allowedImages=[])
        until(refused)
        assert stage.view(name).serving == second
        message = stage.view(name).condition("AliasInSync")["message"]
        assert (
            f"pennant.image '{NEWS}' is none of its spec.allowedImages (there are none)" in message
        )
        stage.registry("default", mlflow_url, pollInterval="1s", allowedImages=ALLOWED)
        assert stage.serves(name, second).status["serving"]["image"] == NEWS
        objects.delete("ModelDeployment", stage.namespace, name)
