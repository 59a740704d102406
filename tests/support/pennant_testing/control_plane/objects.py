"""The objects on an API server, by kind and name, as the JSON they are.

Not by the client library: tests look at them all the time, and it makes a class of each field.
"""

from __future__ import annotations

import json
import re
from typing import Any

import urllib3
import yaml

from pennant_dev.controlplane import ControlPlane
from pennant_operator.nesting import loads
from pennant_operator.yaml_body import as_yaml
from pennant_testing.control_plane.audit_log import GROUP
from pennant_testing.control_plane.operator_rights import granted
from pennant_testing.folders import REPOSITORY
from pennant_testing.waiting import until

NAMESPACE = "pennant-system"
CRDS = ("modeldeployments", "modelregistries", "rolloutactions")
OURS = ("ModelDeployment", "ModelRegistry", "RolloutAction")
KINDS = {
    "admissionregistration.k8s.io/v1beta1": (
        "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding"
    ),
    "admissionregistration.k8s.io/v1": (
        "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding"
    ),
    "v1": "ConfigMap Namespace Node Pod Secret Service ServiceAccount",
    "apps/v1": "ControllerRevision Deployment ReplicaSet",
    "coordination.k8s.io/v1": "Lease",
    "events.k8s.io/v1": "Event",  # in two groups; the newer one shows both
    "pennant.dev/v1alpha1": " ".join(OURS),
    "policy/v1": "PodDisruptionBudget",
    "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding Role RoleBinding",
}
VERSIONS = {kind: version for version, kinds in KINDS.items() for kind in kinds.split()}
DEEP = "thousands of brackets"
_DEEP = '{"a":' * 3000 + "1" + "}" * 3000
MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"

Object = dict[str, Any]


class ApiServerError(Exception):
    """What the API server says where it does not do what it was asked."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


class Objects:
    """Every method raises ApiServerError; objects without a namespace have None for it."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._as: dict[str, str] = {}
        pki = plane.authority
        self._http = urllib3.connection_from_url(
            plane.server,
            maxsize=4,
            ca_certs=str(pki.certificate),
            cert_file=str(pki.path("admin.crt")),
            key_file=str(pki.path("admin.key")),
        )

    def as_user(self, name: str) -> Objects:
        """What somebody else may do, and how it looks then."""
        theirs = Objects(self._plane)
        theirs._as = {"Impersonate-User": name}
        return theirs

    def install(self) -> None:
        """The custom resource definitions, the operator's namespace and its rights."""
        for name in CRDS:
            text = (REPOSITORY / "manifests" / "crd" / f"{name}.yaml").read_text()
            self.apply(yaml.safe_load(text))
        self.namespace(NAMESPACE)
        for obj in granted(GROUP, NAMESPACE):
            self.apply(obj)
        until(lambda: all(map(self._served, OURS)))

    def _served(self, kind: str) -> bool:
        try:
            self.list(kind, None)
        except ApiServerError as error:
            if error.status != 404:
                raise
            return False
        return True

    def namespace(self, name: str) -> str:
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return name

    def apply(self, manifest: Object, *, manager: str = "test") -> Object:
        """Where it holds DEEP, there is what Python's own parser and printer give up at."""
        meta = manifest["metadata"]
        path = _path(manifest["kind"], meta.get("namespace"), meta["name"], manifest["apiVersion"])
        return self._ask("PATCH", f"{path}?fieldManager={manager}&force=true", manifest, APPLY)

    def create(self, manifest: Object) -> Object:
        """An object that is not there yet."""
        path = _path(manifest["kind"], manifest["metadata"].get("namespace"))
        return self._ask("POST", path, manifest)

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        try:
            return self._ask("GET", _path(kind, namespace, name))
        except ApiServerError as error:
            if error.status != 404:
                raise
            return None

    def list(self, kind: str, namespace: str | None, selector: str = "") -> list[Object]:
        """Those of a namespace; with None, of all of them."""
        fields = {"labelSelector": selector} if selector else None
        answer = self._ask("GET", _path(kind, namespace), fields=fields)
        named = {"kind": kind, "apiVersion": VERSIONS[kind]}  # a list's items have neither
        return [named | item for item in answer["items"]]

    def patch(self, kind: str, namespace: str | None, name: str, body: Object) -> None:
        self._ask("PATCH", _path(kind, namespace, name), body, MERGE)

    def patch_status(self, kind: str, namespace: str, name: str, status: Object) -> None:
        path = _path(kind, namespace, name)
        self._ask("PATCH", f"{path}/status", {"status": status}, MERGE)

    def delete(
        self, kind: str, namespace: str | None, name: str, *, propagation: str = "Background"
    ) -> None:
        self._ask("DELETE", _path(kind, namespace, name), {"propagationPolicy": propagation})

    def clear(self) -> None:
        """Take every ModelDeployment and ModelRegistry away: the next operator finds none."""
        for kind in OURS:
            for each in self.list(kind, None):
                meta = each["metadata"]
                self.delete(kind, meta["namespace"], meta["name"])

    def _ask(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        content: str = "application/json",
        fields: dict[str, str] | None = None,
    ) -> Object:
        headers = {"Content-Type": content, "Accept": "application/json", **self._as}
        written = as_yaml if content == APPLY else json.dumps
        sent = None if body is None else written(body).replace(f'"{DEEP}"', _DEEP).encode()
        answer = self._http.request(method, path, fields=fields, body=sent, headers=headers)
        if answer.status >= 300:
            raise ApiServerError(answer.status, answer.data.decode())
        loaded: Object = loads(answer.data)
        return loaded


def _path(kind: str, namespace: str | None, name: str = "", version: str = "") -> str:
    version = version or VERSIONS[kind]
    plural = re.sub("ys$", "ies", f"{kind.lower()}s")
    parts = ["api" if "/" not in version else "apis", version]
    parts += ["namespaces", namespace] if namespace is not None else []
    return "/" + "/".join([*parts, plural, *([name] if name else [])])
