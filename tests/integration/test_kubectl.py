"""`kubectl pennant` on a real API server, beside a real operator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pennant_cli.cluster.api import Where, connect
from pennant_cli.cluster.refusals import KubernetesError
from pennant_dev.controlplane import ControlPlane
from pennant_testing.control_plane.action_scene import ActionScene
from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_process import Operator
from pennant_testing.control_plane.pretended_kubelet import cannot_load
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

Done = subprocess.CompletedProcess[str]


class Terminal:
    """One user's."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self._env = os.environ | {"KUBECONFIG": str(kubeconfig)}
        self._namespace = namespace

    def types(self, *arguments: str, namespace: str = "") -> Done:
        command = [sys.executable, "-m", "pennant_cli.kubectl", *arguments]
        command += ["-n", namespace or self._namespace]
        return subprocess.run(command, env=self._env, capture_output=True, text=True)

    def reads(self, *arguments: str) -> str:
        done = self.types(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


@pytest.fixture
def scene(objects: Objects, mlflow_url: str, running: Operator) -> Iterator[ActionScene]:
    made = ActionScene(objects, mlflow_url)
    made.apply()
    made.serves(made.first)
    yield made
    made.clear()


@pytest.fixture
def terminal(plane: ControlPlane, scene: ActionScene) -> Terminal:
    return Terminal(plane.kubeconfig, scene.namespace)


def test_a_version_that_a_gate_holds_is_explained_and_approved(
    scene: ActionScene, terminal: Terminal
):
    scene.apply(gates={"tags": [{"key": "approved", "value": "true"}]})
    scene.promote(scene.second)
    until(lambda: scene.view().reason("AliasInSync") == "GateNotPassed")
    told = json.loads(terminal.reads("why", scene.name, "-o", "json"))
    assert (told["desired"], told["serving"]) == (scene.second, scene.first)
    assert (told["reason"], told["notes"]) == ("GateNotPassed", [])
    ways = [[change["means"] for change in each["changes"]] for each in told["remedies"]]
    assert ways == [["PassGates"], ["Approve"]]
    text = terminal.reads("why", scene.name)
    assert f"give version {scene.second} what its gates ask: tag approved is not set" in text
    (command,) = told["remedies"][1]["changes"][0]["commands"]
    typed = command.removeprefix("kubectl pennant ").split()
    assert typed[:2] == ["approve", scene.name]
    assert "is Done: version 2 passes its gates" in terminal.reads("approve", scene.name)
    scene.serves(scene.second)
    assert "nothing is to be changed" in terminal.reads("why", scene.name)


def test_status_events_and_registries_show_what_is_there(scene: ActionScene, terminal: Terminal):
    tree = terminal.reads("status", scene.name)
    assert f"{scene.name} ({scene.namespace}) Serving" in tree
    assert "has the traffic" in tree
    assert "ready, on" in tree
    assert json.loads(terminal.reads("status", "-o", "json"))[0]["name"] == scene.name
    events = terminal.reads("events", scene.name)
    assert events.index("RolloutStarted") < events.rindex("TrafficMoved")
    registries = terminal.types("registries", namespace="pennant-system").stdout
    assert "default (pennant-system)" in registries
    assert "Ready=True" in registries


def test_what_a_person_says_is_said_in_the_persons_name(scene: ActionScene, terminal: Terminal):
    printed = terminal.reads("hold", scene.name, "--for", "2h", "--reason", "incident 12")
    assert "is Active" in printed
    (held,) = (
        each
        for each in scene.objects.list("RolloutAction", scene.namespace)
        if each["spec"]["action"] == "Hold"
    )
    assert held["spec"]["actor"] == "admin"
    assert held["spec"]["reason"] == "incident 12"
    assert "expiresAt" in held["spec"]
    scene.undo(held["metadata"]["name"])
    refused = terminal.types("retry", scene.name)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "is Refused: what is desired is neither rejected nor waiting" in refused.stderr


def test_a_rejected_version_is_explained_with_what_to_type(scene: ActionScene, terminal: Terminal):
    third = scene.mlflow.register(scene.name)
    scene.promote(third, cannot_load())
    until(lambda: scene.view().summary == "Rejected")
    text = terminal.reads("why", scene.name)
    assert "was rejected (LoadFailed)" in text
    assert f"kubectl pennant retry {scene.name} -n {scene.namespace}" in text
    assert f"pennant promote {scene.name}/VERSION --alias production" in text
    scene.stage.kubelet.fates.clear()
    until(lambda: scene.view() and len(scene.objects.list("Pod", scene.namespace)) == 1)
    assert "no longer rejected" in terminal.reads("retry", scene.name)
    scene.serves(third)


def test_who_may_not_look_reads_which_right_is_missing(plane: ControlPlane, scene: ActionScene):
    nobody = Terminal(plane.write_kubeconfig("nobody", "/CN=nobody"), scene.namespace)
    for command in ("why", "status", "hold"):
        done = nobody.types(command, scene.name)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: nobody may not get resource")
        assert "modeldeployments" in done.stderr


def test_who_may_see_little_is_told_what_is_left_out(plane: ControlPlane, scene: ActionScene):
    role = {"name": f"{scene.namespace}-reader"}
    rule = {"apiGroups": ["pennant.dev"], "resources": ["modeldeployments"], "verbs": ["get"]}
    group, subject = "rbac.authorization.k8s.io", {"kind": "User", "name": "reader"}
    about = {"apiVersion": f"{group}/v1", "metadata": role}
    scene.objects.apply(about | {"kind": "ClusterRole", "rules": [rule]})
    reference = {"apiGroup": group, "kind": "ClusterRole", **role}
    binding = {"roleRef": reference, "subjects": [{"apiGroup": group, **subject}]}
    scene.objects.apply(about | {"kind": "ClusterRoleBinding", **binding})
    reader = Terminal(plane.write_kubeconfig("reader", "/CN=reader"), scene.namespace)
    entry = json.loads(reader.reads("why", scene.name, "-o", "json"))
    assert entry["serving"] == scene.view().serving
    missing = {note.split('"')[1] for note in entry["notes"]}
    assert {"deployments", "pods", "controllerrevisions", "modelregistries"} <= missing


def test_a_cluster_without_our_kinds_is_told_so(plane: ControlPlane, scene: ActionScene):
    api = connect(Where(kubeconfig=plane.kubeconfig))
    with pytest.raises(KubernetesError, match="Pennant is not installed there"):
        api.request("GET", "/apis/pennant.dev/v0/namespaces/default/modeldeployments")


def test_what_is_not_there_is_told_with_what_is(scene: ActionScene, terminal: Terminal):
    done = terminal.types("why", "nosuch")
    assert done.returncode == 1
    assert f"no ModelDeployment nosuch in namespace {scene.namespace}" in done.stderr
    assert scene.name in done.stderr
