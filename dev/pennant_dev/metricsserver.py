"""metrics-server: what autoscalers and `kubectl top` ask for the use of pods.

A host process like CoreDNS, behind a Service of its own. It is not of every cluster: while a
group of the API has nobody who answers, no namespace is deleted to its end.
"""

import base64
import ssl
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pennant_dev.addons import Kubectl
from pennant_dev.controlplane import ControlPlane
from pennant_dev.node import Node
from pennant_dev.shell import step, wait_until

NAME = "metrics-server"
ADDRESS = "10.96.0.11"
PORT = 4443
SERVICE = {"name": NAME, "namespace": "kube-system"}
API = "v1beta1.metrics.k8s.io"
SECONDS = 60.0
"""Until it has looked at both nodes twice: use is a difference."""


@dataclass(frozen=True)
class MetricsServer:
    """The one of a cluster."""

    plane: ControlPlane
    node: Node
    """Where it listens."""
    program: Path
    kubectl: Kubectl

    def start(self) -> None:
        """Start it, or see that it runs; afterwards it answers for nodes and pods."""
        if self.plane.processes.running(NAME) is None:
            self.plane.processes.start(NAME, self._command())
        self.kubectl.apply(self._service())
        with step("metrics-server answers"):
            # Before its group is known: what the API server could not ask, it asks again late.
            wait_until(self._ready, f"{NAME} is not ready, see its log", seconds=SECONDS)
            self.kubectl.apply([self._group()])
            self.kubectl("wait", f"apiservice/{API}", "--for=condition=Available", "--timeout=60s")

    def stop(self) -> None:
        """Its group goes first."""
        self.kubectl("delete", "apiservice", API, "--ignore-not-found")
        self.plane.processes.stop(NAME)

    def _command(self) -> list[str | Path]:
        # In the group of all rights, as the API server itself is to the kubelets.
        identity = self.plane.write_kubeconfig(NAME, f"/O=system:masters/CN={NAME}")
        pki = self.plane.authority.path
        names = [f"DNS:{NAME}.kube-system.svc", f"IP:{self.node.address}", f"IP:{ADDRESS}"]
        self.plane.authority.issue(f"{NAME}-tls", f"/CN={NAME}", names)
        return [
            *(self.program, f"--kubeconfig={identity}"),
            f"--authentication-kubeconfig={identity}",
            f"--authorization-kubeconfig={identity}",
            *(f"--bind-address={self.node.address}", f"--secure-port={PORT}"),
            f"--tls-cert-file={pki(f'{NAME}-tls.crt')}",
            f"--tls-private-key-file={pki(f'{NAME}-tls.key')}",
            f"--kubelet-certificate-authority={pki('ca.crt')}",
            "--kubelet-preferred-address-types=InternalIP",
            # As often as it can; a kubelet has less time than that to answer.
            *("--metric-resolution=10s", "--kubelet-request-timeout=5s"),
        ]

    def _ready(self) -> bool:
        """Through its Service, as the API server asks it."""
        context = ssl.create_default_context(cafile=str(self.plane.authority.certificate))
        try:
            with urllib.request.urlopen(f"https://{ADDRESS}/readyz", timeout=2, context=context):
                return True
        except OSError:
            return False

    def _service(self) -> list[dict[str, Any]]:
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": SERVICE,
            "spec": {"clusterIP": ADDRESS, "ports": [{"name": "https", "port": 443}]},
        }
        slice_ = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**SERVICE, "labels": {"kubernetes.io/service-name": NAME}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [self.node.address]}],
            "ports": [{"name": "https", "port": PORT}],
        }
        return [service, slice_]

    def _group(self) -> dict[str, Any]:
        authority = base64.b64encode(self.plane.authority.certificate.read_bytes()).decode()
        group, version = "metrics.k8s.io", "v1beta1"
        spec = {
            "group": group,
            "version": version,
            "service": SERVICE,
            "caBundle": authority,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
        }
        return {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": API},
            "spec": spec,
        }
