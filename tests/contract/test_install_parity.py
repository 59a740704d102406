"""Helm and kustomize install the same operator, with the same rights."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pennant_testing.control_plane.install_tools import (
    MANIFESTS,
    NAMESPACE,
    Tools,
    namespace_overlay,
)
from pennant_testing.control_plane.objects import Object

pytestmark = pytest.mark.contract

MONITORING = ("monitoring", "monitoring/dashboards")
WATCH = "PENNANT_WATCH_NAMESPACES"
OWN_NAMESPACE = {"valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}


@pytest.fixture(scope="module")
def tools() -> Tools:
    return Tools()


def comparable(objects: list[Object]) -> dict[tuple[str, ...], Object]:
    """All of every object but the labels and annotations by which an installer knows its own."""

    def bare(obj: Object) -> Object:
        metadata = {k: v for k, v in obj["metadata"].items() if k not in {"labels", "annotations"}}
        return {**obj, "metadata": metadata}

    return {
        (obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]): bare(obj)
        for obj in objects
        if obj["kind"] != "Namespace"  # Helm's comes by --create-namespace
    }


def watched(objects: dict[tuple[str, ...], Object]) -> Any:
    """Takes the variable out of the operator's environment; what it was set to."""
    deployment = objects["Deployment", NAMESPACE, "pennant-operator"]
    env = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    entry = next(each for each in env if each["name"] == WATCH)
    env.remove(entry)
    return {key: value for key, value in entry.items() if key != "name"}


def test_for_a_whole_cluster(tools: Tools):
    chart, kustomize = comparable(tools.chart()), comparable(tools.kustomized("cluster-install"))
    assert chart.keys() == kustomize.keys()
    for key, obj in chart.items():
        assert obj == kustomize[key], key


def test_the_same_is_scraped_alarmed_and_shown(tools: Tools, tmp_path: Path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    shown = [os.path.relpath(MANIFESTS / name, folder.resolve()) for name in MONITORING]
    overlay = {"components": shown}  # over cluster-install, which names its namespace itself
    (folder / "kustomization.yaml").write_text(json.dumps(overlay))
    kustomize = comparable(tools.kustomized(folder))
    assert {namespace for _, namespace, _ in kustomize} == {NAMESPACE}
    words = ("--set", "monitoring.enabled=true,monitoring.dashboards.enabled=true")
    chart = comparable(tools.chart(*words))
    assert {kind for kind, *_ in kustomize} == {"ConfigMap", "PodMonitor", "PrometheusRule"}
    assert {key: chart.get(key) for key in kustomize} == kustomize
    (dashboards,) = (each for each in tools.chart(*words) if each["kind"] == "ConfigMap")
    assert dashboards["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_where_the_cluster_chooses_users_and_groups(tools: Tools, tmp_path: Path):
    overlay = namespace_overlay(tmp_path / "theirs", NAMESPACE, component="cluster-ids")
    kustomize = comparable(tools.kustomized(overlay))
    set_ = f"crds.install=false,fixedIds=false,watchNamespaces={{{NAMESPACE}}}"
    chart = comparable(tools.chart("--set", set_))
    watched(chart), watched(kustomize)
    assert chart == kustomize
    pod = chart["Deployment", NAMESPACE, "pennant-operator"]["spec"]["template"]["spec"]
    assert pod["securityContext"].keys() == {"runAsNonRoot", "seccompProfile"}


def test_with_network_policies(tools: Tools, tmp_path: Path):
    overlay = namespace_overlay(tmp_path / "theirs", NAMESPACE, component="network-policies")
    set_ = f"crds.install=false,networkPolicy.enabled=true,watchNamespaces={{{NAMESPACE}}}"
    chart, kustomize = comparable(tools.chart("--set", set_)), comparable(tools.kustomized(overlay))
    watched(chart), watched(kustomize)
    assert ("NetworkPolicy", NAMESPACE, "pennant-operator") in chart
    assert chart == kustomize


def test_for_one_namespace(tools: Tools):
    set_ = f"crds.install=false,watchNamespaces={{{NAMESPACE}}}"
    chart = comparable(tools.chart("--set", set_))
    kustomize = comparable(tools.kustomized("namespace-install"))
    assert (watched(chart), watched(kustomize)) == ({"value": NAMESPACE}, OWN_NAMESPACE)
    assert chart == kustomize


def test_one_namespace_needs_nothing_of_the_cluster(tools: Tools):
    kinds = [obj["kind"] for obj in tools.kustomized("namespace-install")]
    roles = [*["Role"] * 2, *["RoleBinding"] * 2]
    ours = ["Deployment", "PodDisruptionBudget", *roles, "Service", "ServiceAccount"]
    assert sorted(kinds) == ours


def test_another_namespace_is_one_line(tools: Tools, tmp_path: Path):
    overlay = namespace_overlay(tmp_path / "theirs", "team-a", "registry.example/", "2.0")
    found = tools.kustomized(overlay)
    assert {obj["metadata"]["namespace"] for obj in found} == {"team-a"}
    subjects = [s for obj in found for s in obj.get("subjects", ())]
    assert {subject["namespace"] for subject in subjects} == {"team-a"}
    text = str(next(obj for obj in found if obj["kind"] == "Deployment"))
    assert text.count("registry.example/pennant-serving:2.0") == 2
    assert text.count("registry.example/pennant-operator:2.0") == 1
