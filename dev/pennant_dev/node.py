"""One node of the local cluster: its names, addresses and configuration files (pure)."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NODE_NET = "10.89.0"
SERVICE_RANGE = "10.96.0.0/16"
POD_RANGE = "10.244.0.0/16"
DNS_ADDRESS = "10.96.0.10"
DNS_PORT = 5353
PAUSE = "localhost/pause:1"


@dataclass(frozen=True)
class Node:
    """Node `number` (from 1) of the cluster whose state is in `state`."""

    state: Path
    number: int

    @property
    def name(self) -> str:
        """Kubernetes' name of the node."""
        return f"node-{self.number}"

    @property
    def address(self) -> str:
        """Address of the node, on this machine's own bridge."""
        return f"{NODE_NET}.{self.number}"

    @property
    def folder(self) -> Path:
        """Everything of this node on disk."""
        return self.state / self.name

    @property
    def bridge(self) -> str:
        """The network interface that the node's pods hang on."""
        return f"pncni{self.number}"

    @property
    def cgroup(self) -> str:
        """Own cgroup: two kubelets on one would remove each other's pods.

        Its name holds the state folder's, so that no cluster ever ends another one's pods.
        """
        return f"{unique(self.state)}-{self.name}"

    @property
    def socket(self) -> Path:
        """containerd's socket."""
        return self.folder / "containerd.sock"

    @property
    def images(self) -> Path:
        """containerd's content store; survives `down`, so images are loaded once."""
        return self.folder / "images"

    def write(self, pki: Path) -> None:
        """Write every configuration file of the node."""
        cni = self.folder / "cni"
        cni.mkdir(parents=True, exist_ok=True)
        (self.folder / "manifests").mkdir(exist_ok=True)
        (cni / "10-pennant.conflist").write_text(json.dumps(self.cni(), indent=1))
        (self.folder / "containerd.toml").write_text(self.containerd(pods=True))
        (self.folder / "containerd-bare.toml").write_text(self.containerd(pods=False))
        (self.folder / "kubelet.json").write_text(json.dumps(self.kubelet(pki), indent=1))

    def containerd(self, *, pods: bool) -> str:
        """containerd's configuration; without `pods` it only manages images and containers."""
        disabled = [] if pods else ["io.containerd.grpc.v1.cri"]
        return f"""\
version = 2
root = "{self.images}"
state = "{self.folder / "containerd"}"
disabled_plugins = {json.dumps(disabled)}
[grpc]
address = "{self.socket}"
[plugins."io.containerd.internal.v1.opt"]
path = "{self.folder / "opt"}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
# Lowering a process's OOM score needs a capability that containers and small machines lack;
# without this line every pod then dies with "can't get final child's PID from pipe: EOF".
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{self.folder / "cni"}"
"""

    def cni(self) -> dict[str, Any]:
        """Pod network: a bridge, addresses by host-local, host ports by portmap.

        Nothing masquerades, so a pod reaches this machine's cluster and nothing beyond it.
        """
        ranges = [[{"subnet": f"10.244.{self.number - 1}.0/24"}]]
        ipam = {
            "type": "host-local",
            "ranges": ranges,
            "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": str(self.folder / "leases"),
        }
        bridge = {
            "type": "bridge",
            "bridge": self.bridge,
            "isGateway": True,
            "ipMasq": False,
            "hairpinMode": True,
            "ipam": ipam,
        }
        portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
        return {
            "cniVersion": "0.4.0",
            "name": self.cgroup,  # CNI keeps results of all networks in one folder, by this name
            "plugins": [bridge, portmap],
        }

    def kubelet(self, pki: Path) -> dict[str, Any]:
        """KubeletConfiguration."""
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": self.address,
            "healthzPort": 10248 + 20 * (self.number - 1),
            "staticPodPath": str(self.folder / "manifests"),
            "podLogsDir": str(self.folder / "pod-logs"),
            "volumePluginDir": str(self.folder / "plugins"),
            "containerRuntimeEndpoint": f"unix://{self.socket}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.cgroup}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "oomScoreAdj": 0,
            "clusterDomain": "cluster.local",
            "clusterDNS": [DNS_ADDRESS],
            "resolvConf": "",
            # Images come by `load` and nowhere else: collecting them would lose them.
            "imageGCHighThresholdPercent": 100,
            # A pod that fills its disk is evicted within 20 s, not 70.
            "volumeStatsAggPeriod": "5s",
            "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%"},
            "maxPods": 110,
            "readOnlyPort": 0,
            "tlsCertFile": str(pki / f"{self.name}.crt"),
            "tlsPrivateKeyFile": str(pki / f"{self.name}.key"),
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(pki / "ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
        }


def unique(state: Path) -> str:
    """A short name for the cluster of a state folder, unlike any other's."""
    return "pennant-" + hashlib.sha256(str(state).encode()).hexdigest()[:8]


def nodes(state: Path) -> tuple[Node, Node]:
    """Both nodes of the cluster."""
    return Node(state, 1), Node(state, 2)
