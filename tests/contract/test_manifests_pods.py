"""Every pod that our manifests make is one that restricted Pod Security admits."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pennant_dev.demo.pods import job, pod

pytestmark = pytest.mark.contract

MANIFESTS = Path(__file__).parents[2] / "manifests"


def documents() -> list[tuple[str, dict[str, Any]]]:
    files = [each for each in sorted(MANIFESTS.rglob("*.yaml")) if each.parent.name != "crd"]
    return [
        (str(file.relative_to(MANIFESTS)), document)
        for file in files
        for document in yaml.safe_load_all(file.read_text())
    ]


def pod_specs() -> dict[str, dict[str, Any]]:
    written = {
        name: document["spec"]["template"]["spec"]
        for name, document in documents()
        if document.get("kind") == "Deployment"
    }
    made = {
        "the demo's pods": pod("toolbox", ["sleep"])["spec"],
        "the demo's jobs": job("train", ["python"])["spec"]["template"]["spec"],
    }
    return written | made


PODS = pod_specs()


def test_the_operator_and_mlflow_are_among_the_pods_looked_at():
    assert {"base/deployment.yaml", "demo/mlflow/deployment.yaml"} <= set(PODS)


@pytest.mark.parametrize("name", PODS)
def test_a_pod_runs_without_root_and_under_the_default_seccomp_profile(name):
    context = PODS[name]["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] == 65532
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}


@pytest.mark.parametrize("name", PODS)
def test_a_container_can_write_nowhere_but_its_volumes_and_gain_nothing(name):
    for container in PODS[name]["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}


@pytest.mark.parametrize("name", PODS)
def test_no_service_sets_variables_in_a_pod(name):
    assert PODS[name]["enableServiceLinks"] is False


@pytest.mark.parametrize("name", PODS)
def test_only_the_operator_has_a_token(name):
    assert PODS[name]["automountServiceAccountToken"] is (name == "base/deployment.yaml")


@pytest.mark.parametrize("name", PODS)
def test_every_container_says_what_it_needs_and_tells_mlflow_to_send_nothing_home(name):
    for container in PODS[name]["containers"]:
        assert {"requests", "limits"} <= set(container["resources"])
        env = {entry["name"]: entry.get("value") for entry in container["env"]}
        assert env["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_every_namespace_enforces_restricted_pod_security():
    namespaces = [each for _, each in documents() if each.get("kind") == "Namespace"]
    assert {each["metadata"]["name"] for each in namespaces} == {
        "pennant-system",
        "mlflow",
        "newsreco",
    }
    for each in namespaces:
        assert each["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
