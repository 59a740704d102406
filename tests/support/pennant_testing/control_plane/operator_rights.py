"""The rights that the manifests give the operator, for a group of users of an API server."""

from __future__ import annotations

from typing import Any

import yaml

from pennant_testing.folders import REPOSITORY

BASE = REPOSITORY / "manifests" / "base"


def granted(group: str, namespace: str) -> list[dict[str, Any]]:
    """The roles and their bindings, by names of their own: installs of other tests come and go.

    `namespace` is the operator's.
    """
    return [
        *_grant("clusterrole.yaml", group, {}),
        *_grant("role.yaml", group, {"namespace": namespace}),
    ]


def _grant(file: str, group: str, where: dict[str, str]) -> list[dict[str, Any]]:
    role = yaml.safe_load((BASE / file).read_text())
    kind, version = role["kind"], role["apiVersion"]
    metadata = {"name": f"{group}-{kind.lower()}", **where}
    to = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}
    binding = {
        "apiVersion": version,
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": to["apiGroup"], "kind": kind, "name": metadata["name"]},
        "subjects": [to],
    }
    return [{**role, "metadata": metadata}, binding]
