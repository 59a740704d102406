"""A strict API server takes what is installed, and explains every field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from pennant_testing.control_plane.install_tools import VALUES_TO_BEGIN_WITH, Tools, succeeds
from pennant_testing.control_plane.objects import Object, Objects
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration


EXPLAINED = ("mldep.spec", "mldep.spec.serving", "mldep.spec.serving.probes.liveness")


@pytest.mark.parametrize(
    "values",
    [
        "",
        "watchNamespaces={default,kube-system}",
        "registry.spec.url=http://mlflow:5000,crds.keep=false",
        "image.registry=r.example,image.pullPolicy=Always,imagePullSecrets[0].name=pull",
        "env[0].name=PENNANT_LOG_FORMAT,env[0].value=json,nodeSelector.disk=fast",
    ],
)
def test_a_strict_api_server_takes_the_chart(tools: Tools, values: str):
    taken_strictly(tools, tools.chart("--set", values))


@pytest.mark.parametrize("values", VALUES_TO_BEGIN_WITH, ids=lambda path: path.stem)
def test_a_strict_api_server_takes_the_values_to_begin_with(
    tools: Tools, objects: Objects, values: Path
):
    for namespace in yaml.safe_load(values.read_text()).get("watchNamespaces", ()):
        objects.namespace(namespace)
    rendered = tools.chart("--values", str(values))
    # Kinds of the Prometheus Operator, which the API server does not know.
    taken_strictly(tools, [each for each in rendered if "coreos" not in each["apiVersion"]])


FOLDERS = ("cluster-install", "namespace-install", "samples", "network-policies/models")


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_strict_api_server_takes_the_manifests(tools: Tools, folder: str):
    taken_strictly(tools, tools.kustomized(folder))


@pytest.mark.parametrize("what", [*EXPLAINED, "mldep.status", "mlreg.spec.webhook"])
def test_kubectl_explain_has_a_sentence_for_every_field(tools: Tools, what: str):
    until(lambda: succeeds(lambda: tools.kubectl("explain", what)))  # its schema comes last
    output = tools.kubectl("explain", what)
    assert "FIELDS:" in output
    assert "<no description>" not in output


def taken_strictly(tools: Tools, rendered: list[Object]) -> None:
    text = "\n---\n".join(json.dumps(obj) for obj in rendered)
    how = ("--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict")
    output = tools.kubectl("apply", *how, "--filename=-", stdin=text)
    assert output.count("serverside-applied (server dry run)") == len(rendered)
