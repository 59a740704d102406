"""The chart, and kustomize for one namespace, each with an operator of its own on real pods.

No two operators may look at the same namespace, so the cluster's own rests meanwhile; what it
serves goes on being served.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pennant_dev import cluster
from pennant_dev.demo.kube import Kube, Object, poll
from pennant_dev.settings import Settings
from pennant_testing.cluster.deployed import OURS, Deployed
from pennant_testing.cluster.operator_pods import NAME, resting
from pennant_testing.cluster.sampler import Sampler
from pennant_testing.control_plane.install_tools import CHART, Tools, namespace_overlay

pytestmark = pytest.mark.e2e

MLFLOW = "http://mlflow.mlflow.svc.cluster.local:5000"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


@dataclass(frozen=True)
class Installed:
    """A second operator: its namespace, the one it looks at, and how it goes away."""

    home: str
    team: str
    uninstall: Callable[[], object]


@pytest.fixture
def gone(kube: Kube) -> Iterator[None]:
    """The cluster's own operator has no pod."""
    with resting(kube):
        yield


@pytest.fixture
def namespaces(
    kube: Kube, sampler: Sampler, request: pytest.FixtureRequest
) -> Iterator[tuple[str, str]]:
    """One for the operator, one for ModelDeployments."""
    made = (f"{request.node.callspec.id}-home", f"{request.node.callspec.id}-team")
    for name in made:
        metadata = {"name": name, "labels": RESTRICTED | OURS}
        kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        sampler.look_at(name)
    yield made
    kube("delete", "modeldeployments", "--all", f"--namespace={made[0]}")
    kube("delete", "modeldeployments", "--all", f"--namespace={made[1]}")
    kube("delete", "namespace", *made, "--timeout=300s")


@pytest.fixture(params=["helm", "kustomize"])
def installed(
    kube: Kube,
    gone: None,
    namespaces: tuple[str, str],
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> Installed:
    if request.param == "helm":
        return by_helm(*namespaces)
    return by_kustomize(kube, namespaces[0], tmp_path / "overlay")


def by_helm(home: str, team: str) -> Installed:
    tools = Tools(cluster.choose(Settings.from_env()).kubeconfig)
    values = [
        f"watchNamespaces={{{team}}},registry.spec.allowedNamespaces={{{team}}}",
        "image.registry=localhost,image.operator.tag=dev,image.serving.tag=dev",
        f"registry.spec.url={MLFLOW},registry.spec.pollInterval=2s",
        # Held to where the cluster's network holds pods to policies, as kind's does.
        "networkPolicy.enabled=true,fixedIds=false",
    ]
    file = f"--values={CHART}/ci/namespaced-values.yaml"
    options = (f"--namespace={home}", "--set", ",".join(values), "--wait", "--timeout=180s")
    tools.helm("install", "second", str(CHART), file, *options)
    return Installed(home, team, lambda: tools.helm("uninstall", "second", f"--namespace={home}"))


def by_kustomize(kube: Kube, home: str, folder: Path) -> Installed:
    overlay = namespace_overlay(folder, home, "localhost/", "dev")
    kube.apply(overlay)
    kube.create(
        {
            "apiVersion": "pennant.dev/v1alpha1",
            "kind": "ModelRegistry",
            "metadata": {"name": "default", "namespace": home},
            "spec": {"url": MLFLOW, "pollInterval": "2s"},
        }
    )
    kube.rolled_out(NAME, home, seconds=180)
    return Installed(home, home, lambda: kube("delete", "-k", str(overlay), "--timeout=60s"))


def test_it_follows_an_alias_and_leaves_what_serves(
    kube: Kube, markers: dict[str, str], installed: Installed
):
    deployed = Deployed(kube, f"in-{installed.team}", installed.team)
    deployed.point_alias_at(1)
    deployed.apply()
    deployed.until(serving="1", summary="Serving", readyReplicas=1)
    deployed.point_alias_at(2)
    deployed.until(serving="2", summary="Serving", readyReplicas=1)

    installed.uninstall()
    assert kube.get("deployment", NAME, installed.home) is None
    (pod,) = poll(lambda: only(deployed.pods()), "pods of version 1 are left", 60)
    assert pod["metadata"]["annotations"]["pennant.dev/model-version"] == "2"
    poll(deployed.answers, "it does not answer", 30)


def only(pods: list[Object]) -> list[Object]:
    """The pods if there is one; those that end may be ready for a moment yet."""
    return pods if len(pods) == 1 else []
