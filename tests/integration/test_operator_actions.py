"""RolloutActions on a real API server: what people do, what becomes of it, and who it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pennant_testing.control_plane.action_scene import ActionScene
from pennant_testing.control_plane.objects import NAMESPACE, ApiServerError, Objects
from pennant_testing.control_plane.operator_process import Operator
from pennant_testing.control_plane.pretended_kubelet import cannot_load, coming
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def scene(objects: Objects, mlflow_url: str, running: Operator) -> Iterator[ActionScene]:
    made = ActionScene(objects, mlflow_url)
    made.apply()
    made.serves(made.first)
    yield made
    made.clear()


def test_a_pin_takes_the_traffic_until_it_is_deleted(scene: ActionScene):
    pin = scene.act("Pin", version=scene.second, reason="a look at it")
    seen = scene.serves(scene.second)
    assert seen.reason("AliasInSync") == "Pinned"
    said = f"RolloutAction {pin} (a look at it) pins version {scene.second}, which serves"
    assert seen.condition("AliasInSync")["message"] == said
    until(lambda: scene.status(pin).get("message") == f"version {scene.second} serves")
    assert scene.status(pin)["state"] == "Active"
    scene.undo(pin)
    scene.serves(scene.first)


def test_a_pin_and_a_hold_end_when_their_time_is_over(scene: ActionScene):
    pin = scene.act("Pin", version=scene.second, expiresAt=soon(12))
    hold = scene.act("Hold", expiresAt=soon(12))
    scene.serves(scene.second)
    assert scene.state(hold) == "Active"
    scene.serves(scene.first)
    until(lambda: [scene.state(each) for each in (pin, hold)] == ["Expired", "Expired"])
    ended = datetime.fromisoformat(scene.status(pin)["time"])
    expires = scene.objects.get("RolloutAction", scene.namespace, pin)["spec"]["expiresAt"]
    assert ended - datetime.fromisoformat(expires) <= timedelta(seconds=3)


def test_under_a_hold_an_alias_may_move_as_it_likes(scene: ActionScene):
    hold = scene.act("Hold", reason="Black Friday")
    until(lambda: scene.state(hold) == "Active")
    scene.promote(scene.second)
    until(lambda: scene.view().summary == "Held")
    seen = scene.view()
    assert (seen.serving, seen.reason("AliasInSync")) == (scene.first, "HeldByAction")
    scene.undo(hold)
    scene.serves(scene.second)


def test_what_comes_up_is_aborted_and_tried_again(scene: ActionScene):
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


def test_a_rejected_version_is_tried_again_now(scene: ActionScene):
    scene.promote(scene.second, cannot_load())
    until(lambda: scene.view().summary == "Rejected")
    scene.stage.kubelet.fates.clear()
    scene.act("Retry")
    scene.serves(scene.second)


def test_an_abort_in_the_bake_takes_the_traffic_back(scene: ActionScene):
    scene.apply(rollout={"bake": "1h"})
    scene.promote(scene.second)
    until(lambda: scene.view().summary == "Baking")
    scene.act("Abort")
    until(lambda: scene.view().serving == scene.first)
    until(lambda: scene.view().summary == "Rejected")


def test_what_is_approved_passes_its_gates(scene: ActionScene):
    scene.apply(gates={"tags": [{"key": "approved"}]})
    scene.promote(scene.second)
    until(lambda: scene.view().reason("AliasInSync") == "GateNotPassed")
    approve = scene.act("Approve", version=scene.second)
    scene.serves(scene.second)
    assert scene.state(approve) == "Done"


def test_one_about_what_is_not_there_waits_and_then_counts(scene: ActionScene):
    hold = scene.act("Hold", deployment="later")
    until(lambda: scene.status(hold).get("state") == "Pending")
    assert f"there is no ModelDeployment {scene.namespace}/later" in scene.status(hold)["message"]
    scene.stage.apply("later", scene.name)
    until(lambda: scene.state(hold) == "Active")
    assert scene.stage.view("later").serving is None
    scene.undo(hold)
    scene.stage.serves("later", scene.first)


def test_finished_ones_are_deleted_a_day_later(scene: ActionScene):
    names = [scene.act("Retry"), scene.act("Retry", deployment="nobody")]
    until(lambda: scene.state(names[0]) == "Refused")
    until(lambda: scene.state(names[1]) == "Pending")
    long_ago = {"state": "Expired", "message": "over", "time": soon(-86401)}
    for name in names:
        scene.objects.patch_status("RolloutAction", scene.namespace, name, long_ago)
    until(lambda: not [name for name in names if scene.status(name)])


def test_a_registrys_is_the_operators_namespaces(scene: ActionScene):
    elsewhere = scene.manifest("Resume", registry="default")
    here = scene.manifest("Resume", registry="default", namespace=NAMESPACE)
    for each in (elsewhere, here):
        scene.objects.create(each)
    names = elsewhere["metadata"]["name"], here["metadata"]["name"]
    until(lambda: scene.status(names[0]).get("state") == "Refused")
    assert f"ModelRegistries are in namespace {NAMESPACE}" in scene.status(names[0])["message"]
    until(lambda: scene.status(names[1], NAMESPACE).get("state") == "Done")


def test_an_action_cannot_be_changed(scene: ActionScene):
    name = scene.act("Hold", reason="a")
    with pytest.raises(ApiServerError, match="spec of a RolloutAction cannot be changed"):
        scene.objects.patch("RolloutAction", scene.namespace, name, {"spec": {"reason": "b"}})


def test_nobody_waits_for_an_idle_action(scene: ActionScene, running: Operator):
    scene.act("Hold")
    scene.act("Retry")
    scene.stage.look()
    written = running.rests()
    assert running.rests() == written
