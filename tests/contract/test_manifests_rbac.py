"""The operator's rights, written down a second time: a wider verb has to be meant."""

from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.contract

BASE = Path(__file__).parents[2] / "manifests" / "base"

WHERE_MODELDEPLOYMENTS_ARE = {
    "pennant.dev/modeldeployments": "get list watch",
    "pennant.dev/modeldeployments/status": "patch",
    "pennant.dev/rolloutactions": "delete list watch",
    "pennant.dev/rolloutactions/status": "patch",
    "pennant.dev/modeldeployments/finalizers": "update",
    "apps/deployments": "create delete get list patch watch",
    "apps/controllerrevisions": "create delete get list patch",
    "/services": "create delete get list patch watch",
    "/configmaps": "create delete get list patch",
    "/secrets": "create",
    "policy/poddisruptionbudgets": "create delete get list patch",
    "/pods": "delete list patch",
    "/events": "create",
}
OWN_NAMESPACE = {
    "pennant.dev/modelregistries": "list",
    "pennant.dev/modelregistries/status": "patch",
    "pennant.dev/rolloutactions": "delete list",
    "pennant.dev/rolloutactions/status": "patch",
    "/secrets": "get",
    "coordination.k8s.io/leases": "create",
    "coordination.k8s.io/leases/pennant-operator": "get update",
}


def granted(file: str) -> dict[str, str]:
    role = yaml.safe_load((BASE / file).read_text())
    return {
        "/".join((group, resource, *rule.get("resourceNames", ()))): " ".join(sorted(rule["verbs"]))
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def test_users_of_a_namespace_have_rights_by_kubernetes_own_roles():
    path = BASE.parent / "crd" / "users.yaml"
    added = {
        role["metadata"]["name"]: {
            label.removeprefix("rbac.authorization.k8s.io/aggregate-to-")
            for label in role["metadata"]["labels"]
        }
        for role in yaml.safe_load_all(path.read_text())
    }
    assert added == {
        "pennant-view": {"view", "edit", "admin"},
        "pennant-edit": {"edit", "admin"},
        "pennant-release": {"edit", "admin"},
        "pennant-admin": {"admin"},
    }


def test_the_operators_rights_where_modeldeployments_are_are_these():
    assert granted("clusterrole.yaml") == WHERE_MODELDEPLOYMENTS_ARE


def test_the_operators_rights_in_its_own_namespace_are_these():
    assert granted("role.yaml") == OWN_NAMESPACE


@pytest.mark.parametrize("file", ["clusterrolebinding.yaml", "rolebinding.yaml"])
def test_only_the_operators_account_has_them(file):
    assert yaml.safe_load((BASE / file).read_text())["subjects"] == [
        {"kind": "ServiceAccount", "name": "pennant-operator"}  # of the namespace it is put in
    ]
