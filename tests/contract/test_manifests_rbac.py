"""The operator's rights, written down a second time: a wider verb has to be meant."""

from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.contract

BASE = Path(__file__).parents[2] / "manifests" / "base"

WHERE_MODELDEPLOYMENTS_ARE = {
    "pennant.dev/modeldeployments": "get list watch",
    "pennant.dev/modeldeployments/status": "get patch",
    "apps/deployments": "create delete get list patch watch",
    "apps/controllerrevisions": "create delete get list patch",
    "/services": "create delete get list patch watch",
    "/configmaps": "create delete get list patch",
    "policy/poddisruptionbudgets": "create delete get list patch",
    "/pods": "delete get list",
    "events.k8s.io/events": "create patch",
}
OWN_NAMESPACE = {
    "pennant.dev/modelregistries": "get list watch",
    "pennant.dev/modelregistries/status": "get patch",
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


def test_the_operators_rights_where_modeldeployments_are_are_these():
    assert granted("clusterrole.yaml") == WHERE_MODELDEPLOYMENTS_ARE


def test_the_operators_rights_in_its_own_namespace_are_these():
    assert granted("role.yaml") == OWN_NAMESPACE


@pytest.mark.parametrize("file", ["clusterrolebinding.yaml", "rolebinding.yaml"])
def test_only_the_operators_account_has_them(file):
    assert yaml.safe_load((BASE / file).read_text())["subjects"] == [
        {"kind": "ServiceAccount", "name": "pennant-operator"}  # of the namespace it is put in
    ]
