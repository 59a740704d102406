"""An API server that knows nothing of ours yet: what an operator says, and the life of a release.

No controller runs, so the test plays one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from installing import CHART, NAMESPACE, Tools
from objects import CRDS, Objects
from operator_process import operator
from waiting import until

from pennant_dev.controlplane import ControlPlane, control_plane
from pennant_dev.shell import DevError

pytestmark = pytest.mark.integration

READY = {"observedGeneration": 1, "replicas": 2, "readyReplicas": 2, "availableReplicas": 2}
WHERE = ("pennant", str(CHART), f"--namespace={NAMESPACE}")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("bare")) as started:
        yield started


@pytest.fixture
def tools(bare: ControlPlane) -> Iterator[Tools]:
    found = Tools(bare.kubeconfig)
    yield found
    found.kubectl("delete", "crd", "--all")


def registry_at(url: str) -> str:
    return f"--set=registry.spec.url={url}"


def address(objects: Objects) -> str | None:
    found = objects.get("ModelRegistry", NAMESPACE, "default")
    return found["spec"]["url"] if found else None


def definitions(tools: Tools) -> int:
    return tools.kubectl("get", "crd", "-o", "name").count("pennant.dev")


def make_ready(objects: Objects) -> None:
    """Say of the operator's Deployment what its controller would."""
    made = until(lambda: objects.get("Deployment", NAMESPACE, "pennant-operator"))
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "pennant-operator"}
    meta = {
        "name": "pennant-operator-1",
        "namespace": NAMESPACE,
        "labels": made["spec"]["selector"]["matchLabels"],
        "ownerReferences": [{**owner, "uid": made["metadata"]["uid"], "controller": True}],
    }
    spec = {key: made["spec"][key] for key in ("replicas", "selector", "template")}
    objects.apply({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta, "spec": spec})
    objects.patch_status("ReplicaSet", NAMESPACE, meta["name"], READY)
    status = {**READY, "updatedReplicas": 2}
    objects.patch_status("Deployment", NAMESPACE, "pennant-operator", status)


def test_an_operator_says_that_the_definitions_are_missing(bare: ControlPlane, tmp_path: Path):
    with pytest.raises(RuntimeError, match="kubectl apply"):
        operator(bare.kubeconfig, tmp_path).__enter__()


def test_a_release_from_an_empty_cluster_to_its_end_and_back(bare: ControlPlane, tools: Tools):
    objects = Objects(bare)
    first, second = "http://mlflow.first:5000", "http://mlflow.second:5000"

    install = tools.helm_later(
        "install", *WHERE, "--create-namespace", "--wait", registry_at(first)
    )
    make_ready(objects)
    said, _ = install.communicate(timeout=300)
    assert install.returncode == 0, said
    assert address(objects) == first
    assert definitions(tools) == len(CRDS)

    tools.helm("upgrade", *WHERE, registry_at(second))
    assert address(objects) == second
    tools.helm("rollback", "pennant", "1", f"--namespace={NAMESPACE}")
    assert address(objects) == first

    with pytest.raises(DevError, match=r'Definition "modeldeployments.pennant.dev".*exists'):
        tools.helm("install", "other", str(CHART), "--namespace=default")
    with pytest.raises(DevError, match=r'ClusterRole "pennant-operator-modeldeployments".*exists'):
        tools.helm(
            "install", "other", str(CHART), "--namespace=default", "--set=crds.install=false"
        )

    tools.helm("uninstall", "pennant", f"--namespace={NAMESPACE}")
    assert definitions(tools) == len(CRDS)
    assert address(objects) == first
    assert "pennant-operator" not in tools.kubectl("get", "clusterroles,clusterrolebindings")
    tools.helm("install", *WHERE, registry_at(second))
    assert address(objects) == second
