"""What lies in Git is what is there, as `kubectl diff` sees it, whatever happens to a version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import yaml

from pennant_testing.control_plane.install_tools import MANIFESTS, Tools
from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_process import Operator
from pennant_testing.control_plane.operator_stage import Stage, View
from pennant_testing.control_plane.pretended_kubelet import cannot_load, coming, ready
from pennant_testing.mlflow.mlflow_server import Mlflow

pytestmark = pytest.mark.integration

SAMPLES = ("modelregistry", "modeldeployment", "newsreco", "custom")
APPROVED = {"approved": "true"}
# How they are applied: as `kubectl apply` and Argo CD do, and as Flux does.
WAYS = {"by the client": (), "by the server": ("--server-side", "--field-manager=flux")}


@dataclass
class Followed:
    """The samples, applied from a folder; one of them follows a model of ours."""

    stage: Stage
    mlflow: Mlflow
    name: str
    tools: Tools
    words: Sequence[str]

    def promote(self, **tags: str) -> str:
        version = self.mlflow.register(self.name, **tags)
        self.mlflow.promote(self.name, version)
        return version

    def nothing_differs_once(self, summary: str, serving: str | None) -> None:
        """`kubectl diff` fails where there is a difference, and shows it."""

        def so(seen: View) -> bool:
            return (seen.summary, seen.serving) == (summary, serving)

        self.stage.sees("my-model", so)
        assert self.tools.kubectl("diff", *self.words) == ""


@pytest.fixture(params=WAYS)
def followed(
    request: pytest.FixtureRequest,
    running: Operator,
    objects: Objects,
    tools: Tools,
    mlflow_url: str,
    tmp_path: Path,
) -> Iterator[Followed]:
    name = f"m{uuid4().hex[:8]}"
    stage = Stage(objects, f"git-{name}")
    for sample in SAMPLES:
        content = yaml.safe_load((MANIFESTS / "samples" / f"{sample}.yaml").read_text())
        if content["kind"] == "ModelRegistry":
            content["spec"] |= {"url": mlflow_url, "pollInterval": "1s"}
        else:
            content["metadata"]["namespace"] = stage.namespace
            content["spec"]["model"]["name"] = name if sample == "modeldeployment" else f"{name}-no"
            content["spec"]["gates"] = {"tags": [{"key": "approved"}]}
        (tmp_path / f"{sample}.yaml").write_text(yaml.safe_dump(content))
    words = (*WAYS[request.param], f"--filename={tmp_path}")
    followed = Followed(stage, Mlflow(mlflow_url), name, tools, words)
    followed.promote(**APPROVED)
    tools.kubectl("apply", *words)
    yield followed
    tools.kubectl("delete", f"--filename={tmp_path}")


def test_kubectl_diff_is_empty_while_a_version_is_rolled_out_held_baked_and_rejected(
    followed: Followed,
):
    fates, name = followed.stage.kubelet.fates, followed.name
    fates[name, "1"] = coming()
    followed.nothing_differs_once("RollingOut", None)
    fates[name, "1"] = ready()
    followed.nothing_differs_once("Serving", "1")
    second = followed.promote()
    followed.nothing_differs_once("Held", "1")
    fates[name, second] = coming()
    followed.mlflow.client.set_model_version_tag(name, second, "approved", "true")
    followed.nothing_differs_once("RollingOut", "1")
    fates[name, second] = ready()
    followed.nothing_differs_once("Baking", second)
    fates[name, "3"] = cannot_load()
    followed.promote(**APPROVED)
    followed.nothing_differs_once("Rejected", second)
