"""A cluster without machines: real etcd, API server, controllers and scheduler; KWOK's pods.

It shares nothing with the local cluster of `dev/cluster` and may run beside it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pennant_dev.binaries import ensure
from pennant_dev.components import Components
from pennant_dev.controlplane import ControlPlane
from pennant_testing.control_plane.audit_log import Audit
from pennant_testing.control_plane.objects import Objects
from pennant_testing.waiting import until

NODES = 4
STAGES = Path(__file__).with_name("stages.yaml")
ANNOTATION = "kwok.x-k8s.io/node"
UNPACED = ("--kube-api-qps=2000", "--kube-api-burst=4000")
HASTY = (
    *UNPACED,
    *(f"--concurrent-{kind}-syncs=20" for kind in ("deployment", "replicaset")),
    # On a busy machine a heartbeat may be late; then no Deployment would be ready for a while.
    "--node-monitor-grace-period=1h",
)
"""What is measured is the operator: others that make it wait wait as little as they can."""


@dataclass(frozen=True)
class Cluster:
    """A running one."""

    plane: ControlPlane
    objects: Objects
    operator: Path
    """The kubeconfig of the operator; what its user asks for is in the audit log."""
    audit: Audit


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start everything; stop it at the end."""
    plane = ControlPlane(folder / "cluster", flags=Audit.flags(folder))
    names = ("kwok", "kube-scheduler", "kube-controller-manager")
    try:
        plane.start()
        objects = Objects(plane)
        _controllers(plane)
        for number in range(NODES):
            objects.apply(_node(f"fake-{number}"))
        until(lambda: all(map(_ready, objects.list("Node", None))), seconds=60)
        objects.install()
        yield Cluster(plane, objects, Audit.kubeconfig(plane), Audit.of(folder))
    finally:
        for name in names:
            plane.processes.stop(name)
        plane.stop()


def _controllers(plane: ControlPlane) -> None:
    programs = ensure("kubelite", "kwok")
    components = Components(plane, programs["kubelite"])
    start = plane.processes.start
    # No ports: another cluster of this machine may have the usual ones.
    start("kube-controller-manager", [*components.controller_manager(), "--secure-port=0", *HASTY])
    start("kube-scheduler", [*components.scheduler(), "--secure-port=0", *UNPACED])
    selector = f"--manage-nodes-with-annotation-selector={ANNOTATION}=fake"
    kwok = [f"--kubeconfig={plane.kubeconfig}", f"--config={STAGES}", "--manage-all-nodes=false"]
    start("kwok", [programs["kwok"], *kwok, selector, "--node-lease-duration-seconds=40"])


def _node(name: str) -> dict[str, object]:
    metadata = {"name": name, "annotations": {ANNOTATION: "fake"}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata}


def _ready(node: dict[str, object]) -> bool:
    status = node.get("status")
    conditions = status.get("conditions") or () if isinstance(status, dict) else ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
