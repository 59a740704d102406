"""Command lines of the cluster's host processes, beyond the control plane (pure but for files)."""

import json
from dataclasses import dataclass
from pathlib import Path

from pennant_dev import addons
from pennant_dev.controlplane import ControlPlane
from pennant_dev.node import NODE_NET, POD_RANGE, Node, nodes

# The default of 20 requests per second makes a hundred pods wait for the client, not the cluster.
FAST = ("--kube-api-qps=200", "--kube-api-burst=400")


@dataclass(frozen=True)
class Components:
    """Writes each component's configuration and gives its command line."""

    plane: ControlPlane
    kubelite: Path

    @property
    def _state(self) -> Path:
        return self.plane.folder

    def controller_manager(self) -> list[str | Path]:
        """kube-controller-manager."""
        config = self.plane.write_kubeconfig("controller", "/CN=system:kube-controller-manager")
        pki = self.plane.authority.path
        return [
            *(self.kubelite, "kube-controller-manager", f"--kubeconfig={config}"),
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
            "--use-service-account-credentials",
            f"--service-account-private-key-file={pki('sa.key')}",
            f"--root-ca-file={pki('ca.crt')}",
            f"--cluster-signing-cert-file={pki('ca.crt')}",
            f"--cluster-signing-key-file={pki('ca.key')}",
            f"--cert-dir={self._state / 'pki'}",
            f"--flex-volume-plugin-dir={self._state / 'plugins'}",
            "--horizontal-pod-autoscaler-sync-period=5s",  # three times as often as by default
            *FAST,
        ]

    def scheduler(self) -> list[str | Path]:
        """kube-scheduler."""
        config = self.plane.write_kubeconfig("scheduler", "/CN=system:kube-scheduler")
        return [
            *(self.kubelite, "kube-scheduler", f"--kubeconfig={config}"),
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
            *FAST,
        ]

    def kubelet(self, node: Node) -> list[str | Path]:
        """One node's kubelet."""
        subject = f"/O=system:nodes/CN=system:node:{node.name}"
        self.plane.authority.issue(
            node.name, subject, [f"DNS:{node.name}", f"IP:{node.address}", "IP:127.0.0.1"]
        )
        node.write(self._state / "pki")
        return [
            *(self.kubelite, "kubelet", f"--config={node.folder / 'kubelet.json'}"),
            f"--kubeconfig={self.plane.write_kubeconfig(node.name, subject)}",
            f"--hostname-override={node.name}",
            f"--node-ip={node.address}",
            f"--root-dir={node.folder / 'kubelet'}",
            f"--cert-dir={node.folder / 'pki'}",
        ]

    def proxy(self) -> list[str | Path]:
        """kube-proxy: one serves both nodes, as they share a network namespace."""
        identity = self.plane.write_kubeconfig("proxy", "/CN=system:kube-proxy")
        config = {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clusterCIDR": POD_RANGE,
            "hostnameOverride": nodes(self._state)[0].name,
            # Not on the machine's own addresses: nobody outside it reaches a NodePort.
            "nodePortAddresses": ["127.0.0.0/8", f"{NODE_NET}.0/24"],
            "bindAddress": nodes(self._state)[0].address,
            "healthzBindAddress": "127.0.0.1:10256",
            "oomScoreAdj": 0,
            "conntrack": {"maxPerCore": 0},
            "iptables": {"minSyncPeriod": "100ms", "localhostNodePorts": True},
            "clientConnection": {"kubeconfig": str(identity)},
        }
        path = self._state / "proxy.json"
        path.write_text(json.dumps(config, indent=1))
        return [self.kubelite, "kube-proxy", f"--config={path}"]

    def dns(self) -> list[str | Path]:
        """CoreDNS, as a host process on the first node's address."""
        path = self._state / "Corefile"
        identity = self.plane.write_kubeconfig("coredns", "/CN=coredns")
        addons.write_corefile(path, nodes(self._state)[0], identity)
        return [self.kubelite, "coredns", "-conf", path]
