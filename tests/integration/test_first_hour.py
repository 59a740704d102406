"""docs/first-hour.md, followed: its code makes a model that answers its call, its YAML is valid."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

from pennant_dev.controlplane import ControlPlane
from pennant_dev.shell import DevError
from pennant_serving.fetch import fetch
from pennant_serving.fetch.settings import FetchSettings, Wanted
from pennant_testing.control_plane.install_tools import MANIFESTS, Tools
from pennant_testing.control_plane.objects import Object, Objects
from pennant_testing.folders import REPOSITORY
from pennant_testing.serving.serving_process import serving

pytestmark = pytest.mark.integration

PAGE = (REPOSITORY / "docs" / "first-hour.md").read_text()
STATUS = {
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Serving",
            "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    ],
    "serving": {"version": "2"},
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def commands(start: str) -> list[list[str]]:
    """The commands of the page that begin so, as words."""
    lines = "\n".join(blocks("sh")).replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if line.startswith(start)]


@pytest.fixture
def tools(plane: ControlPlane, objects: Objects) -> Tools:
    objects.namespace("team")
    return Tools(plane.kubeconfig)


@pytest.fixture
def sample(objects: Objects) -> Iterator[Object]:
    """The page's first ModelDeployment, as the API server took it."""
    applied = yaml.safe_load((MANIFESTS / "samples" / "modeldeployment.yaml").read_text())
    applied["metadata"]["namespace"] = "team"
    yield objects.apply(applied)
    objects.delete("ModelDeployment", "team", "my-model")


def test_the_first_model_is_served_and_answers_the_call(mlflow_url: str, tmp_path: Path):
    (code,) = blocks("python")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    env = {"MLFLOW_TRACKING_URI": mlflow_url, "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept | env, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    version = done.stdout.split()[-1]
    client = MlflowClient(mlflow_url)
    assert client.get_model_version_by_alias("my-model", "production").version == version
    wanted = Wanted("my-model", version, client.get_model_version_download_uri("my-model", version))
    fetch(FetchSettings(wanted, tmp_path / "bundle", registry_url=mlflow_url))
    (body,) = (words[words.index("-d") + 1] for words in commands("curl"))
    pod = {"PENNANT_MODEL_NAME": "my-model", "PENNANT_MODEL_VERSION": version}
    with serving(tmp_path, tmp_path / "bundle", PENNANT_SELF_TEST="Required", **pod) as running:
        running.wait_until("/v2/health/ready")
        status, _, answer = running.request("/invocations", json.loads(body))
    assert (status, json.loads(answer)) == (200, {"predictions": [0]})


def test_its_objects_are_valid(tools: Tools):
    shown = [yaml.safe_load(block) for block in blocks("yaml")]
    assert [obj["kind"] for obj in shown] == ["Ingress", "HTTPRoute"]
    for obj in shown:
        if obj["kind"] == "HTTPRoute":  # of a kind that no API server has by itself
            continue
        words = ("apply", "--filename=-", "--dry-run=server", "--validate=strict")
        assert "created (server dry run)" in tools.kubectl(*words, stdin=json.dumps(obj))


def test_its_waits_end_when_the_version_serves(tools: Tools, objects: Objects, sample: Object):
    waits = commands("kubectl wait")
    assert len(waits) == 2
    for words in waits:
        with pytest.raises(DevError, match="timed out waiting"):
            tools.kubectl(*words[1:-1], "--timeout=100ms")
    status = STATUS | {"observedGeneration": sample["metadata"]["generation"]}
    objects.patch_status("ModelDeployment", "team", "my-model", status)
    for words in waits:
        assert "condition met" in tools.kubectl(*words[1:-1], "--timeout=1m")
