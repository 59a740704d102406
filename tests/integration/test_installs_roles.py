"""Kubernetes' own roles in a namespace: who may install there, and who may read and write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pennant_testing.control_plane.applied_objects import model_deployment, model_registry
from pennant_testing.control_plane.install_tools import Tools, namespace_overlay, succeeds
from pennant_testing.control_plane.objects import Objects
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration


ROLES = {  # what each of Kubernetes' own roles allows, and what it does not
    "view": (
        ["get mldep", "list mlreg", "get mldep/scale", "get rolact"],
        ["create mldep", "delete mldep", "patch mlreg", "create rolact"],
    ),
    "edit": (
        [
            *("create mldep", "delete mldep", "patch mldep/scale", "list mlreg"),
            *("create rolact", "delete rolact"),
        ],
        ["patch mldep/status", "create mlreg", "patch rolact/status"],
    ),
    "admin": (
        ["create mldep", "create mlreg", "delete mlreg", "create rolact"],
        ["update mldep/status", "delete mldep/finalizers"],
    ),
}


@pytest.mark.parametrize("role", ROLES)
def test_who_has_one_of_kubernetes_own_roles_in_a_namespace(
    tools: Tools, objects: Objects, role: str
):
    team, (may, may_not) = objects.namespace(f"team-of-{role}"), ROLES[role]
    for obj in tools.kustomized("crd"):
        if obj["kind"] == "ClusterRole":
            objects.apply(obj)
    aggregate(objects, role)
    to_ann = ("--user=ann", f"--clusterrole={role}", f"--namespace={team}")
    tools.kubectl("create", "rolebinding", role, *to_ann)

    def can(words: str, namespace: str = team) -> bool:
        verb, what = words.split()
        short, _, sub = what.partition("/")
        kind = {
            "mldep": "modeldeployments",
            "mlreg": "modelregistries",
            "rolact": "rolloutactions",
        }[short]
        ask = (verb, f"{kind}.pennant.dev", f"--subresource={sub}", f"--namespace={namespace}")
        return succeeds(lambda: tools.kubectl("auth", "can-i", *ask, "--as=ann"))

    until(lambda: can(may[0]))
    assert [words for words in may if not can(words)] == []
    assert [words for words in may_not if can(words)] == []
    assert not can(may[0], "default")
    if role == "edit":
        mine = json.dumps(model_deployment(team, "none"))
        tools.kubectl("create", "--filename=-", "--as=ann", stdin=mine)


def test_a_namespaces_administrator_may_install_there(
    tools: Tools, objects: Objects, tmp_path: Path
):
    team = objects.namespace("team-installs")
    for obj in tools.kustomized("crd"):
        if obj["kind"] == "ClusterRole":
            objects.apply(obj)
    for role in ("view", "edit", "admin"):
        aggregate(objects, role)
    to_bob = ("--user=bob", "--clusterrole=admin", f"--namespace={team}")
    tools.kubectl("create", "rolebinding", "admin", *to_bob)
    rendered = tools.kustomized(namespace_overlay(tmp_path / "overlay", team))
    rendered.append(model_registry(team, "http://mlflow:5000"))
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": rendered})
    ask = ("auth", "can-i", "create", "modelregistries.pennant.dev", f"--namespace={team}")
    until(lambda: succeeds(lambda: tools.kubectl(*ask, "--as=bob")))
    output = tools.kubectl("apply", "--filename=-", "--as=bob", stdin=text)
    assert output.count(" created") == len(rendered)


def aggregate(objects: Objects, role: str) -> None:
    """What the controller of aggregated roles does, which no API server does alone."""
    label = f"rbac.authorization.k8s.io/aggregate-to-{role}=true"
    found = objects.list("ClusterRole", None, label)
    body = {"rules": [rule for each in found for rule in each["rules"] or ()]}
    objects.patch("ClusterRole", None, role, body)
