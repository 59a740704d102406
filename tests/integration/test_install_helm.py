"""An API server that knows nothing of ours yet: what an operator says, and the life of a release.

No controller runs, so the test plays one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pennant_dev.controlplane import ControlPlane, control_plane
from pennant_dev.shell import DevError
from pennant_testing.control_plane.install_tools import (
    CHART,
    MANIFESTS,
    NAMESPACE,
    VALUES_TO_BEGIN_WITH,
    Tools,
    succeeds,
)
from pennant_testing.control_plane.objects import CRDS, Object, Objects
from pennant_testing.control_plane.operator_process import operator
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

URL, HOOKS = "http://mlflow.first:5000", "http://pennant-webhooks:8082"
EDITED: Object = {
    "credentialsSecret": "mlflow",
    "webhook": {"secret": {"name": "mlflow-webhook"}, "register": True, "url": HOOKS},
    "allowedNamespaces": ["team-a"],
    "pollInterval": "30s",
}
NOTED = {"labels": {"team": "platform"}, "annotations": {"note": "by hand"}}
READY = {"observedGeneration": 1, "replicas": 2, "readyReplicas": 2, "availableReplicas": 2}
USERS = ("pennant-view", "pennant-edit", "pennant-release", "pennant-admin")
WHERE = ("pennant", str(CHART), f"--namespace={NAMESPACE}")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("bare")) as started:
        yield started


@pytest.fixture
def tools(bare: ControlPlane) -> Iterator[Tools]:
    installer = Tools(bare.kubeconfig)
    yield installer
    for release in json.loads(installer.helm("list", "--all-namespaces", "--output=json")):
        installer.helm("uninstall", release["name"], f"--namespace={release['namespace']}")
    installer.kubectl("delete", "crd", "--all")
    installer.kubectl("delete", "clusterrole", *USERS)


def install_without_wait(tools: Tools, *words: str) -> None:
    """Where the API server does not know the kind yet, again: as the page on installing says."""
    try:
        tools.helm("install", *WHERE, *words)
    except DevError as error:
        if 'no matches for kind "ModelRegistry"' not in str(error):
            raise
        tools.helm("upgrade", "--install", *WHERE, *words)


def registry_at(url: str) -> str:
    return f"--set=registry.spec.url={url}"


def address(objects: Objects) -> str | None:
    registry = objects.get("ModelRegistry", NAMESPACE, "default")
    return registry["spec"]["url"] if registry else None


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
    output, _ = install.communicate(timeout=300)
    assert install.returncode == 0, output
    assert address(objects) == first
    assert definitions(tools) == len(CRDS)

    tools.helm("upgrade", *WHERE, registry_at(second))
    assert address(objects) == second
    tools.helm("rollback", "pennant", "1", f"--namespace={NAMESPACE}")
    assert address(objects) == second  # a rollback knows only what an earlier release had rendered

    with pytest.raises(DevError, match=r'Definition "modeldeployments.pennant.dev".*exists'):
        tools.helm("install", "other", str(CHART), "--namespace=default")
    with pytest.raises(DevError, match=r'ClusterRole "pennant-operator-modeldeployments".*exists'):
        tools.helm(
            "install", "other", str(CHART), "--namespace=default", "--set=crds.install=false"
        )

    tools.helm("uninstall", "pennant", f"--namespace={NAMESPACE}")
    assert definitions(tools) == len(CRDS)
    assert address(objects) == second
    assert "pennant-operator" not in tools.kubectl("get", "clusterroles,clusterrolebindings")
    install_without_wait(tools, registry_at(first))
    assert address(objects) == first


@pytest.fixture
def installed(tools: Tools, bare: ControlPlane) -> Objects:
    """A release whose ModelRegistry people have edited since."""
    objects = Objects(bare)
    if objects.get("ModelRegistry", NAMESPACE, "default"):
        objects.delete("ModelRegistry", NAMESPACE, "default")
    install_without_wait(tools, "--create-namespace", registry_at(URL))
    objects.patch("ModelRegistry", NAMESPACE, "default", {"spec": EDITED, "metadata": NOTED})
    return objects


def live(objects: Objects) -> Object:
    registry = objects.get("ModelRegistry", NAMESPACE, "default")
    assert registry is not None
    return registry


def test_an_upgrade_leaves_a_registry_as_people_edited_it(tools: Tools, installed: Objects):
    before = live(installed)
    output = tools.helm("upgrade", *WHERE, "--reuse-values", "--set=replicas=3")
    assert live(installed) == before
    assert "The values won" not in output
    assert "get modelregistry default" in output
    tools.helm("upgrade", *WHERE, "--reset-values")
    assert live(installed) == before


def test_a_value_that_is_set_wins_for_its_field_alone_and_says_so(tools: Tools, installed: Objects):
    before = live(installed)
    other = "http://hooks.example:8082"
    set_ = f"registry.spec.pollInterval=1m,registry.spec.webhook.url={other}"
    output = tools.helm("upgrade", *WHERE, "--reuse-values", f"--set={set_}")
    webhook = {**EDITED["webhook"], "url": other}
    assert live(installed)["spec"] == {
        **before["spec"],
        "pollInterval": "1m",
        "webhook": webhook,
    }
    meta = live(installed)["metadata"]
    assert NOTED["labels"].items() <= meta["labels"].items()
    assert NOTED["annotations"].items() <= meta["annotations"].items()
    assert 'registry.spec.pollInterval is now "1m"; it was "30s"' in output
    assert f'registry.spec.webhook is now {{"url":"{other}"}}; it was {{"url":"{HOOKS}"}}' in output
    assert "registry.spec.url" not in output.partition("The values won")[2]

    before = live(installed)
    output = tools.helm("upgrade", *WHERE, "--reuse-values", "--set=replicas=3")
    assert (live(installed), "The values won" in output) == (before, False)
    tools.helm("rollback", "pennant", "1", f"--namespace={NAMESPACE}")
    assert live(installed) == before


def test_a_value_that_the_api_server_refuses_costs_nothing(tools: Tools, installed: Objects):
    before = live(installed)
    with pytest.raises(DevError, match="at least 1s"):
        tools.helm("upgrade", *WHERE, "--reuse-values", "--set=registry.spec.pollInterval=1ms")
    assert live(installed) == before
    tools.helm("upgrade", *WHERE, "--reuse-values", "--set=registry.spec.pollInterval=2m")
    assert [each["metadata"]["name"] for each in installed.list("ModelRegistry", None)] == [
        "default"
    ]
    assert live(installed)["spec"] == {**before["spec"], "pollInterval": "2m"}


def test_a_registry_that_somebody_deleted_is_made_again(tools: Tools, installed: Objects):
    installed.delete("ModelRegistry", NAMESPACE, "default")
    tools.helm("upgrade", *WHERE, "--reuse-values")
    assert address(installed) == URL


def test_another_release_takes_over_the_definitions_that_were_left(
    tools: Tools, installed: Objects
):
    tools.helm("uninstall", "pennant", f"--namespace={NAMESPACE}")
    crd = "modeldeployments.pennant.dev"
    spoilt = {"spec": {"names": {"categories": ["older"]}}}
    tools.kubectl("patch", "crd", crd, "--type=merge", f"--patch={json.dumps(spoilt)}")
    other = ("other", str(CHART), "--namespace=elsewhere", "--create-namespace")
    with pytest.raises(DevError, match="invalid ownership metadata"):
        tools.helm("install", *other)
    output = tools.helm("install", *other, "--take-ownership")
    assert "--take-ownership" in output  # for the next one
    taken = json.loads(tools.kubectl("get", "crd", crd, "--output=json"))
    assert taken["metadata"]["annotations"]["meta.helm.sh/release-name"] == "other"
    assert taken["spec"]["names"]["categories"] == ["pennant"]
    assert live(installed)["spec"] == {**EDITED, "url": URL, "allowedModels": ["*"]}
    tools.helm("upgrade", *other, "--set=replicas=1")  # it is an ordinary release from now on


def test_rights_are_granted_where_a_namespace_is_there_and_the_others_are_named(
    tools: Tools, bare: ControlPlane
):
    objects = Objects(bare)
    objects.namespace("here")
    watch = "--set=watchNamespaces={here,later,pennant-system}"
    output = tools.helm("install", *WHERE, "--create-namespace", watch)
    assert "Not there yet, or on its way out: later." in output
    assert role_in("here", objects)
    objects.namespace("later")
    output = tools.helm("upgrade", *WHERE, "--reuse-values")
    assert "Not there yet" not in output
    assert role_in("later", objects)
    assert role_in(NAMESPACE, objects)

    # Without a controller it stays Terminating, where nothing new may be made.
    tools.kubectl("delete", "namespace", "later", "--wait=false")
    output = tools.helm("upgrade", *WHERE, "--reuse-values")
    assert "Not there yet, or on its way out: later." in output
    shown = tools.helm("upgrade", *WHERE, "--reuse-values", "--dry-run=client")
    assert 'namespace: "here"' in shown


def test_a_release_for_a_namespace_that_is_not_made_yet(tools: Tools, bare: ControlPlane):
    where = ("pennant", str(CHART), "--namespace=first", "--create-namespace")
    output = tools.helm("install", *where, "--set=watchNamespaces={not-made}")
    assert "Not there yet, or on its way out: not-made." in output
    tools.helm("upgrade", *where, "--reuse-values")


def know_of_prometheus(tools: Tools) -> None:
    """As much of the Prometheus Operator as the API server asks for."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    for kind in ("PodMonitor", "PrometheusRule"):
        names = {"kind": kind, "plural": f"{kind.lower()}s"}
        version = {"name": "v1", "served": True, "storage": True}
        spec = {
            "group": "monitoring.coreos.com",
            "names": names,
            "scope": "Namespaced",
            "versions": [{**version, "schema": {"openAPIV3Schema": schema}}],
        }
        crd = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{names['plural']}.monitoring.coreos.com"},
            "spec": spec,
        }
        tools.kubectl("apply", "--server-side", "--filename=-", stdin=json.dumps(crd))
    until(lambda: succeeds(lambda: tools.kubectl("get", "podmonitors,prometheusrules")))


def test_a_release_of_each_file_of_values_to_begin_with(tools: Tools, bare: ControlPlane):
    objects = Objects(bare)
    know_of_prometheus(tools)
    tools.kubectl("apply", "--server-side", "--kustomize", str(MANIFESTS / "crd"))
    for values in VALUES_TO_BEGIN_WITH:
        name = values.stem.removesuffix("-values")
        where = (
            name,
            str(CHART),
            f"--namespace={name}",
            "--create-namespace",
            f"--values={values}",
        )
        tools.helm("install", *where, "--take-ownership")  # the definitions may be another one's
        assert objects.get("ModelRegistry", name, "default"), name
        assert tools.helm("list", f"--namespace={name}", "--deployed", "--short").split() == [name]
        tools.helm("upgrade", *where, "--set=replicas=2")
        tools.helm("uninstall", name, f"--namespace={name}")


def role_in(namespace: str, objects: Objects) -> Object | None:
    return objects.get("Role", namespace, "pennant-operator-modeldeployments")
