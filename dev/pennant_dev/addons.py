"""What a fresh cluster is given: DNS (a Service in front of a host process) and volumes."""

import json
import shutil
from pathlib import Path
from typing import Any

from pennant_dev.node import DNS_ADDRESS, DNS_PORT, Node
from pennant_dev.shell import run

VOLUMES = 6
VOLUME_SIZE = "2Gi"
COREFILE = """\
cluster.local:{port} in-addr.arpa:{port} {{
    bind {address}
    errors
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {kubeconfig}
        ttl 5
    }}
}}
# Nothing outside the cluster has a name here: say so at once, instead of asking anybody.
.:{port} {{
    bind {address}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


class Kubectl:
    """kubectl on one kubeconfig."""

    def __init__(self, kubelite: Path, kubeconfig: Path) -> None:
        self._base: list[str | Path] = [kubelite, "kubectl", f"--kubeconfig={kubeconfig}"]

    def __call__(self, *words: str, stdin: str | None = None) -> str:
        return run([*self._base, *words], stdin=stdin)

    def apply(self, objects: list[dict[str, Any]]) -> None:
        """Server-side apply of several objects."""
        listed = {"apiVersion": "v1", "kind": "List", "items": objects}
        self("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(listed))

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Every object of a cluster-scoped kind."""
        items: list[dict[str, Any]] = json.loads(self("get", kind, "-o", "json"))["items"]
        return items


def write_corefile(path: Path, node: Node, kubeconfig: Path) -> None:
    """CoreDNS' configuration, bound to the node's address."""
    path.write_text(COREFILE.format(port=DNS_PORT, address=node.address, kubeconfig=kubeconfig))


def dns(node: Node) -> list[dict[str, Any]]:
    """The kube-dns Service, its hand-made EndpointSlice, and CoreDNS' permission to read."""
    meta = {"name": "kube-dns", "namespace": "kube-system"}
    ports = [{"name": kind.lower(), "protocol": kind, "port": 53} for kind in ("UDP", "TCP")]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {"clusterIP": DNS_ADDRESS, "ports": ports},
    }
    slice_ = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**meta, "labels": {"kubernetes.io/service-name": "kube-dns"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [node.address]}],
        "ports": [{**port, "port": DNS_PORT} for port in ports],
    }
    return [service, slice_, *_dns_role()]


def _dns_role() -> list[dict[str, Any]]:
    api, name = "rbac.authorization.k8s.io", "pennant-dev:dns"
    read = {"verbs": ["list", "watch"]}
    rules = [
        {**read, "apiGroups": [""], "resources": ["services", "pods", "namespaces"]},
        {**read, "apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"]},
    ]
    return [
        {
            "apiVersion": f"{api}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": rules,
        },
        {
            "apiVersion": f"{api}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": api, "kind": "User", "name": "coredns"}],
        },
    ]


def storage(folder: Path) -> list[dict[str, Any]]:
    """The default StorageClass and its volumes, each an empty folder that any pod may write."""
    made = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": "local",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "kubernetes.io/no-provisioner",
    }
    return [made, *(volume(folder, f"local-{number}") for number in range(1, VOLUMES + 1))]


def volume(folder: Path, name: str) -> dict[str, Any]:
    """One volume; its folder is emptied. Both nodes are this machine, so it fits either."""
    path = folder / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    path.chmod(0o777)  # fsGroup is not applied to host paths
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "storageClassName": "local",
            "capacity": {"storage": VOLUME_SIZE},
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": str(path), "type": "Directory"},
        },
    }


def recycle_volumes(kubectl: Kubectl, folder: Path) -> list[str]:
    """Make volumes whose claim is gone new again; their names."""
    released = [
        each["metadata"]["name"]
        for each in kubectl.items("persistentvolumes")
        if each["status"].get("phase") in ("Released", "Failed")
    ]
    mine = [name for name in released if name.startswith("local-")]
    if mine:
        kubectl("delete", "persistentvolume", "--wait=true", *mine)
        kubectl.apply([volume(folder, name) for name in mine])
    return mine
