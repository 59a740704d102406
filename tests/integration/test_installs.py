"""What installers render: a strict API server takes it, and the operator needs no more rights."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pennant_dev.controlplane import ControlPlane
from pennant_dev.shell import DevError
from pennant_operator.kube import Api, connect
from pennant_operator.observe.cluster.listing import relist
from pennant_operator.observe.cluster.store import Key, Store
from pennant_testing.control_plane.applied_objects import model_deployment, model_registry
from pennant_testing.control_plane.install_tools import Tools, namespace_overlay, succeeds
from pennant_testing.control_plane.objects import Object, Objects
from pennant_testing.control_plane.operator_process import WRITES, operator
from pennant_testing.control_plane.pretended_kubelet import PretendedKubelet
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Install:
    """Where the operator is, where its ModelDeployments are, and the installer's output."""

    namespace: str
    team: str
    rendered: list[Object]
    watch: str = ""


@pytest.fixture(params=["cluster-wide", "named-namespaces", "own-namespace"])
def install(
    request: pytest.FixtureRequest, tools: Tools, objects: Objects, tmp_path: Path
) -> Iterator[Install]:
    """One way to install it, applied without the operator's Deployment."""
    home, team = f"home-{request.param}", f"team-{request.param}"
    if request.param == "cluster-wide":
        everywhere = tools.chart("--set", "crds.install=false", namespace=home)
        chosen = Install(home, team, everywhere)
    elif request.param == "named-namespaces":
        chosen = Install(home, team, rights(tools, home, team), watch=team)
    else:
        overlay = namespace_overlay(tmp_path / "overlay", home)
        chosen = Install(home, home, tools.kustomized(overlay), watch=home)
    for name in (home, team):
        objects.namespace(name)
    made = [obj for obj in chosen.rendered if obj["kind"] != "Deployment"]
    for obj in made:
        objects.apply(obj)
    yield chosen
    objects.clear()
    for obj in made:
        objects.delete(obj["kind"], obj["metadata"].get("namespace"), obj["metadata"]["name"])


def rights(tools: Tools, home: str, *watched: str) -> list[Object]:
    """What the chart grants an operator in `home` for these namespaces, and its account."""
    names = ",".join(watched)
    options = ("--set", f"crds.install=false,watchNamespaces={{{names}}}")
    manifests = tools.chart(*options, namespace=home)
    return [obj for obj in manifests if obj["kind"] != "Deployment"]


def account(plane: ControlPlane, namespace: str) -> Path:
    """A kubeconfig of who the pod would be: a certificate with the service account's names."""
    groups = f"/O=system:serviceaccounts/O=system:serviceaccounts:{namespace}"
    user = f"/CN=system:serviceaccount:{namespace}:pennant-operator"
    return plane.write_kubeconfig(f"account-{namespace}", groups + user)


def may_list(tools: Tools, home: str, namespace: str) -> bool:
    """Whether the API server knows of the account's rights by now."""
    who = f"--as=system:serviceaccount:{home}:pennant-operator"
    where = f"--namespace={namespace}"
    try:
        tools.kubectl("auth", "can-i", "list", "modeldeployments.pennant.dev", where, who)
    except DevError:  # its way to say no
        return False
    return True


def test_the_rights_granted_are_enough_for_a_rollout(
    install: Install,
    tools: Tools,
    plane: ControlPlane,
    objects: Objects,
    mlflow_url: str,
    tmp_path: Path,
):
    mlflow, model = Mlflow(mlflow_url), install.namespace
    kubelet = PretendedKubelet(objects, install.team)
    mlflow.promote(model, mlflow.register(model))
    objects.apply(model_registry(install.namespace, mlflow_url))
    check = model_registry(install.namespace, "http://nobody-asks.example")
    check["metadata"] |= {"name": "default-check", "labels": {"pennant.dev/check": "true"}}
    objects.apply(check)
    objects.apply(model_deployment(install.team, model))

    def settled(version: str) -> bool:
        kubelet.work()
        status = objects.get("ModelDeployment", install.team, "rec")["status"]
        return (status.get("serving", {}).get("version"), status.get("summary")) == (
            version,
            "Serving",
        )

    who = account(plane, install.namespace)
    until(lambda: may_list(tools, install.namespace, install.team))
    names = {"PENNANT_NAMESPACE": install.namespace, "PENNANT_WATCH_NAMESPACES": install.watch}
    names["PENNANT_POD_FS_GROUP"] = "none"
    with operator(who, tmp_path, **names) as running:
        until(lambda: settled("1"))
        mlflow.promote(model, mlflow.register(model))
        until(lambda: settled("2"))
        objects.delete("Service", install.team, "rec")
        until(lambda: objects.get("Service", install.team, "rec"))
        running.rests()
        assert running.metric(f'{WRITES}{{code="403"') == 0
        assert running.stop() == 0
    assert "forbidden" not in running.log.read_text().lower()  # as every such refusal says
    assert objects.list("Event", install.team)
    pods = [each["spec"]["template"]["spec"] for each in objects.list("Deployment", install.team)]
    assert [set(pod["securityContext"]) for pod in pods] == [{"runAsNonRoot", "seccompProfile"}] * 2
    checked = objects.get("ModelRegistry", install.namespace, "default-check")
    assert checked is not None
    assert checked["status"] == {"observedGeneration": -1}


def test_without_the_right_to_an_owners_finalizers_no_child_is_made(
    tools: Tools, plane: ControlPlane, objects: Objects
):
    """The rule is there because of this; a test that passes without it would prove nothing."""
    home, team = objects.namespace("home-strict"), objects.namespace("team-strict")
    granted = rights(tools, home, team)
    for obj in granted:
        if obj["metadata"]["name"] == "pennant-operator-modeldeployments" and "rules" in obj:
            kept = [r for r in obj["rules"] if r["resources"] != ["modeldeployments/finalizers"]]
            assert len(kept) == len(obj["rules"]) - 1
            obj["rules"] = kept
        objects.apply(obj)
    until(lambda: may_list(tools, home, team))
    objects.apply(model_deployment(team, "none"))
    owner = objects.get("ModelDeployment", team, "rec")
    assert owner is not None
    reference = {"apiVersion": "pennant.dev/v1alpha1", "kind": "ModelDeployment", "name": "rec"}
    reference |= {"uid": owner["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}
    meta = {"name": "rec-registry", "namespace": team, "ownerReferences": [reference]}
    child = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    who = f"--as=system:serviceaccount:{home}:pennant-operator"
    with pytest.raises(DevError, match="cannot set blockOwnerDeletion"):
        tools.kubectl("create", "--filename=-", who, stdin=child)
    for obj in rights(tools, home, team):
        objects.apply(obj)
    until(lambda: succeeds(lambda: tools.kubectl("create", "--filename=-", who, stdin=child)))


def test_a_namespace_it_may_not_look_at_takes_no_other_with_it(
    tools: Tools, plane: ControlPlane, objects: Objects, tmp_path: Path
):
    home, seen, closed = (objects.namespace(f"{n}-here") for n in ("home", "seen", "closed"))
    for obj in rights(tools, home, seen):
        objects.apply(obj)
    objects.apply(model_deployment(seen, "none"))
    until(lambda: may_list(tools, home, seen))

    def looked_at() -> bool:
        live = objects.get("ModelDeployment", seen, "rec")
        return live["status"].get("summary") == "Stalled"

    names = {"PENNANT_NAMESPACE": home, "PENNANT_WATCH_NAMESPACES": f"{closed},{seen}"}
    with operator(account(plane, home), tmp_path, **names) as running:
        until(looked_at)
        until(lambda: f"may not be listed in {closed}: they" in running.log.read_text())
        for obj in rights(tools, home, closed):
            objects.apply(obj)
        until(lambda: running.process.poll() is not None)  # its pod is started again
        assert running.process.returncode == 0


def test_a_namespace_that_closes_later_is_passed_over_by_the_lists(
    tools: Tools, plane: ControlPlane, objects: Objects
):
    home, seen, closed = (objects.namespace(f"{n}-later") for n in ("home", "seen", "closed"))
    for obj in rights(tools, home, seen):
        objects.apply(obj)
    objects.apply(model_deployment(seen, "none"))
    until(lambda: may_list(tools, home, seen))

    async def listed() -> set[Key]:
        client = await connect(account(plane, home))
        try:
            return await relist(Api(client), Store(), (closed, seen))
        finally:
            await client.close()

    assert asyncio.run(listed()) == {(seen, "rec")}


def test_a_namespace_that_is_not_made_yet_is_waited_for(
    tools: Tools, plane: ControlPlane, objects: Objects, tmp_path: Path
):
    home = objects.namespace("home-early")
    for obj in rights(tools, home, home):
        if obj["metadata"]["name"] == "pennant-operator":
            objects.apply(obj)
    names = {"PENNANT_NAMESPACE": home, "PENNANT_WATCH_NAMESPACES": "not-made"}
    with operator(account(plane, home), tmp_path, **names) as running:  # it is ready
        log = running.log.read_text()
        assert "looking for ModelDeployments in no namespace yet" in log
        assert log.count("may not be listed in not-made: they are waited for; make the") == 1
        objects.namespace("not-made")
        for obj in rights(tools, home, "not-made"):
            objects.apply(obj)
        until(lambda: running.process.poll() is not None)  # its pod is started again
        assert running.process.returncode == 0
    objects.apply(model_deployment("not-made", "none"))
    with operator(account(plane, home), tmp_path, **names) as running:
        assert "looking for ModelDeployments in not-made" in running.log.read_text()
        until(lambda: objects.get("ModelDeployment", "not-made", "rec")["status"].get("summary"))
