"""Who created a RolloutAction: held to the truth by the API server's own admission policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pennant_testing.control_plane.action_scene import ActionScene
from pennant_testing.control_plane.objects import ApiServerError, Objects
from pennant_testing.control_plane.operator_process import ALONE, operator
from pennant_testing.folders import REPOSITORY
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration

MANIFESTS = REPOSITORY / "manifests"


@pytest.fixture
def checked(objects: Objects, mlflow_url: str) -> Iterator[ActionScene]:
    """The actor policy is there, and jane and joe may release in that namespace."""
    made = ActionScene(objects, mlflow_url)
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


def refusal(scene: ActionScene, user: str, **spec: Any) -> str:
    """What the API server says to somebody's Hold; empty where it takes it."""
    theirs, made = scene.objects.as_user(user), scene.manifest("Hold", **spec)
    try:
        theirs.create(made)
    except ApiServerError as error:
        return str(error)
    theirs.delete("RolloutAction", scene.namespace, made["metadata"]["name"])
    return ""


def test_the_actor_is_who_creates_it_and_then_messages_say_who(
    checked: ActionScene, operator_config: Path, tmp_path: Path
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
