"""RolloutActions on a real API server: what people do, what becomes of it, and who it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from pennant_testing.control_plane.objects import NAMESPACE, ApiServerError, Objects
from pennant_testing.control_plane.operator_process import ALONE, Operator, operator
from pennant_testing.control_plane.operator_stage import Stage, View
from pennant_testing.control_plane.pretended_kubelet import cannot_load, coming
from pennant_testing.folders import REPOSITORY
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

MANIFESTS = REPOSITORY / "manifests"


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Scene:
    """A namespace in which version 1 serves, version 2 is registered, and people act."""

    def __init__(self, objects: Objects, mlflow_url: str) -> None:
        self.name = f"m{uuid4().hex[:8]}"
        self.namespace = f"acts-{self.name}"
        self.objects, self.stage = objects, Stage(objects, self.namespace)
        self.mlflow = Mlflow(mlflow_url)
        self.first, self.second = (self.mlflow.register(self.name) for _ in range(2))
        self.stage.registry("default", mlflow_url, pollInterval="1s")
        self.mlflow.promote(self.name, self.first)

    def apply(self, **spec: Any) -> None:
        self.stage.apply(self.name, self.name, **{"rollout": {"bake": "0s"}, **spec})

    def serves(self, version: str) -> View:
        return self.stage.serves(self.name, version)

    def view(self) -> View:
        return self.stage.view(self.name)

    def promote(self, version: str, fate: dict[str, Any] | None = None) -> None:
        if fate is not None:
            self.stage.kubelet.fates[self.name, version] = fate
        self.mlflow.promote(self.name, version)

    def manifest(self, action: str, namespace: str = "", **spec: Any) -> dict[str, Any]:
        about = {} if "registry" in spec else {"deployment": self.name}
        name = f"{action.lower()}-{uuid4().hex[:6]}"
        return {
            "apiVersion": "pennant.dev/v1alpha1",
            "kind": "RolloutAction",
            "metadata": {"name": name, "namespace": namespace or self.namespace},
            "spec": {"action": action, **about, **spec},
        }

    def act(self, action: str, **spec: Any) -> str:
        made = self.objects.create(self.manifest(action, **spec))
        return str(made["metadata"]["name"])

    def undo(self, name: str) -> None:
        self.objects.delete("RolloutAction", self.namespace, name)

    def status(self, name: str, namespace: str = "") -> dict[str, str]:
        live = self.objects.get("RolloutAction", namespace or self.namespace, name)
        return dict(live.get("status", {})) if live else {}

    def state(self, name: str) -> str | None:
        self.stage.look()
        return self.status(name).get("state")

    def clear(self) -> None:
        for each in self.objects.list("RolloutAction", self.namespace):
            self.undo(each["metadata"]["name"])
        for name in self.stage.views():
            self.objects.delete("ModelDeployment", self.namespace, name)


@pytest.fixture
def scene(objects: Objects, mlflow_url: str, running: Operator) -> Iterator[Scene]:
    made = Scene(objects, mlflow_url)
    made.apply()
    made.serves(made.first)
    yield made
    made.clear()


def test_a_pin_takes_the_traffic_until_it_is_deleted(scene: Scene):
    pin = scene.act("Pin", version=scene.second, reason="a look at it")
    seen = scene.serves(scene.second)
    assert seen.reason("AliasInSync") == "Pinned"
    said = f"RolloutAction {pin} (a look at it) pins version {scene.second}, which serves"
    assert seen.condition("AliasInSync")["message"] == said
    until(lambda: scene.status(pin).get("message") == f"version {scene.second} serves")
    assert scene.status(pin)["state"] == "Active"
    scene.undo(pin)
    scene.serves(scene.first)


def test_a_pin_and_a_hold_end_when_their_time_is_over(scene: Scene):
    pin = scene.act("Pin", version=scene.second, expiresAt=soon(12))
    hold = scene.act("Hold", expiresAt=soon(12))
    scene.serves(scene.second)
    assert scene.state(hold) == "Active"
    scene.serves(scene.first)
    until(lambda: [scene.state(each) for each in (pin, hold)] == ["Expired", "Expired"])
    ended = datetime.fromisoformat(scene.status(pin)["time"])
    expires = scene.objects.get("RolloutAction", scene.namespace, pin)["spec"]["expiresAt"]
    assert ended - datetime.fromisoformat(expires) <= timedelta(seconds=3)


def test_under_a_hold_an_alias_may_move_as_it_likes(scene: Scene):
    hold = scene.act("Hold", reason="Black Friday")
    until(lambda: scene.state(hold) == "Active")
    scene.promote(scene.second)
    until(lambda: scene.view().summary == "Held")
    seen = scene.view()
    assert (seen.serving, seen.reason("AliasInSync")) == (scene.first, "HeldByAction")
    scene.undo(hold)
    scene.serves(scene.second)


def test_what_comes_up_is_aborted_and_tried_again(scene: Scene):
    scene.promote(scene.second, coming())
    until(lambda: scene.view().candidate == scene.second)
    abort = scene.act("Abort", reason="wrong data")
    until(lambda: scene.state(abort) == "Done")
    until(lambda: scene.view().summary == "Rejected")
    (rejected,) = scene.view().status["rejected"]
    assert (rejected["version"], rejected["reason"]) == (scene.second, "Aborted")
    scene.stage.kubelet.fates.clear()
    retry = scene.act("Retry", version=scene.second)
    scene.serves(scene.second)
    assert scene.state(retry) == "Done"
    assert "action" not in scene.view().status


def test_a_rejected_version_is_tried_again_now(scene: Scene):
    scene.promote(scene.second, cannot_load())
    until(lambda: scene.view().summary == "Rejected")
    scene.stage.kubelet.fates.clear()
    scene.act("Retry")
    scene.serves(scene.second)


def test_an_abort_in_the_bake_takes_the_traffic_back(scene: Scene):
    scene.apply(rollout={"bake": "1h"})
    scene.promote(scene.second)
    until(lambda: scene.view().summary == "Baking")
    scene.act("Abort")
    until(lambda: scene.view().serving == scene.first)
    until(lambda: scene.view().summary == "Rejected")


def test_what_is_approved_passes_its_gates(scene: Scene):
    scene.apply(gates={"tags": [{"key": "approved"}]})
    scene.promote(scene.second)
    until(lambda: scene.view().reason("AliasInSync") == "GateNotPassed")
    approve = scene.act("Approve", version=scene.second)
    scene.serves(scene.second)
    assert scene.state(approve) == "Done"


def test_one_about_what_is_not_there_waits_and_then_counts(scene: Scene):
    hold = scene.act("Hold", deployment="later")
    until(lambda: scene.status(hold).get("state") == "Pending")
    assert f"there is no ModelDeployment {scene.namespace}/later" in scene.status(hold)["message"]
    scene.stage.apply("later", scene.name)
    until(lambda: scene.state(hold) == "Active")
    assert scene.stage.view("later").serving is None
    scene.undo(hold)
    scene.stage.serves("later", scene.first)


def test_finished_ones_are_deleted_a_day_later(scene: Scene):
    names = [scene.act("Retry"), scene.act("Retry", deployment="nobody")]
    until(lambda: scene.state(names[0]) == "Refused")
    until(lambda: scene.state(names[1]) == "Pending")
    long_ago = {"state": "Expired", "message": "over", "time": soon(-86401)}
    for name in names:
        scene.objects.patch_status("RolloutAction", scene.namespace, name, long_ago)
    until(lambda: not [name for name in names if scene.status(name)])


def test_a_registrys_is_the_operators_namespaces(scene: Scene):
    elsewhere = scene.manifest("Resume", registry="default")
    here = scene.manifest("Resume", registry="default", namespace=NAMESPACE)
    for each in (elsewhere, here):
        scene.objects.create(each)
    names = elsewhere["metadata"]["name"], here["metadata"]["name"]
    until(lambda: scene.status(names[0]).get("state") == "Refused")
    assert f"ModelRegistries are in namespace {NAMESPACE}" in scene.status(names[0])["message"]
    until(lambda: scene.status(names[1], NAMESPACE).get("state") == "Done")


def test_an_action_cannot_be_changed(scene: Scene):
    name = scene.act("Hold", reason="a")
    with pytest.raises(ApiServerError, match="spec of a RolloutAction cannot be changed"):
        scene.objects.patch("RolloutAction", scene.namespace, name, {"spec": {"reason": "b"}})


def test_nobody_waits_for_an_idle_action(scene: Scene, running: Operator):
    scene.act("Hold")
    scene.act("Retry")
    scene.stage.look()
    written = running.rests()
    assert running.rests() == written


@pytest.fixture
def checked(objects: Objects, mlflow_url: str) -> Iterator[Scene]:
    """The actor policy is there, and jane and joe may release in that namespace."""
    made = Scene(objects, mlflow_url)
    documents = list(yaml.safe_load_all((MANIFESTS / "actor-policy" / "policy.yaml").read_text()))
    users = yaml.safe_load_all((MANIFESTS / "crd" / "users.yaml").read_text())
    role = next(each for each in users if each["metadata"]["name"] == "pennant-release")
    group = "rbac.authorization.k8s.io"
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "release", "namespace": made.namespace},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "pennant-release"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": name} for name in ("jane", "joe")],
    }
    for each in (*documents, role, binding):
        objects.apply(each)
    yield made
    made.clear()
    for each in documents:
        objects.delete(each["kind"], None, each["metadata"]["name"])


def refusal(scene: Scene, user: str, **spec: Any) -> str:
    """What the API server says to somebody's Hold; empty where it takes it."""
    theirs, made = scene.objects.as_user(user), scene.manifest("Hold", **spec)
    try:
        theirs.create(made)
    except ApiServerError as error:
        return str(error)
    theirs.delete("RolloutAction", scene.namespace, made["metadata"]["name"])
    return ""


def test_the_actor_is_who_creates_it_and_then_messages_say_who(
    checked: Scene, operator_config: Path, tmp_path: Path
):
    until(lambda: "write jane" in refusal(checked, "jane", actor="joe"))  # it takes a moment
    assert "write joe" in refusal(checked, "joe")
    assert refusal(checked, "jane", actor="jane") == ""
    assert "forbidden" in refusal(checked, "mallory", actor="mallory")
    with operator(operator_config, tmp_path, PENNANT_ACTORS_CHECKED="true", **ALONE):
        checked.apply()
        checked.serves(checked.first)
        pin = checked.manifest("Pin", version=checked.second, actor="jane", reason="why not")
        checked.objects.as_user("jane").create(pin)
        message = checked.serves(checked.second).condition("AliasInSync")["message"]
        assert f"RolloutAction {pin['metadata']['name']} (of jane: why not) pins" in message
