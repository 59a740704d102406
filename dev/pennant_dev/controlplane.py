"""A Kubernetes API server alone: etcd and kube-apiserver in a folder, nothing else.

The local provider builds its nodes on it, and the integration tests use it as their API server.
It needs no root and no fixed port, and is up in about five seconds:

    from pennant_dev.binaries import ensure
    from pennant_dev.controlplane import control_plane

    ensure("kubelite", "etcd")           # first call on a machine builds kubelite: minutes
    with control_plane(tmp_path) as cp:
        cp.kubeconfig                    # path; its user is in system:masters
        cp.server                        # https://127.0.0.1:PORT

No controller runs: Deployments make no pods, owner references collect nothing. Without arguments
the ServiceAccount admission plug-in is off, as nothing would make the `default` accounts.
"""

import json
import ssl
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pennant_dev.binaries import ensure
from pennant_dev.pki import Authority, kubeconfig
from pennant_dev.ports import free_port
from pennant_dev.processes import Processes
from pennant_dev.shell import DevError

SERVICE_RANGE = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"
ALONE = ("--disable-admission-plugins=ServiceAccount",)


@dataclass(frozen=True)
class ControlPlane:
    """A control plane in a folder; the same folder gives the same processes and identities."""

    folder: Path
    address: str = "127.0.0.1"
    """Where the API server listens and what it tells pods."""
    port: int = 0
    """The API server's port; 0 takes a free one."""
    flags: tuple[str, ...] = ALONE
    """More kube-apiserver flags."""

    @property
    def authority(self) -> Authority:
        """What every certificate here is signed by."""
        return Authority(self.folder / "pki")

    @property
    def processes(self) -> Processes:
        """The named processes of this folder."""
        return Processes(self.folder)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.folder / "admin.kubeconfig"

    @property
    def server(self) -> str:
        """URL of the API server."""
        return f"https://{self.address}:{self._ports()['api']}"

    def _ports(self) -> dict[str, int]:
        loaded: dict[str, int] = json.loads((self.folder / "ports.json").read_text())
        return loaded

    def start(self) -> None:
        """Start both processes and wait until /readyz answers; DevError with the log if not."""
        programs = ensure("kubelite", "etcd")
        self._prepare()
        self.processes.start("etcd", [programs["etcd"], *self._etcd_flags()])
        self.processes.start(
            "kube-apiserver", [programs["kubelite"], "kube-apiserver", *self._apiserver_flags()]
        )
        self._wait(seconds=180)

    def stop(self, grace: float = 5.0) -> None:
        """Stop both, each within `grace` seconds; data and certificates stay in the folder."""
        for name in ("kube-apiserver", "etcd"):
            self.processes.stop(name, grace)

    def write_kubeconfig(self, name: str, subject: str) -> Path:
        """A kubeconfig for another identity, such as `/O=system:nodes/CN=system:node:node-1`."""
        self.authority.issue(name, subject)
        path = self.folder / f"{name}.kubeconfig"
        path.write_text(kubeconfig(self.authority, self.server, name))
        path.chmod(0o600)
        return path

    def ready(self) -> bool:
        """Whether /readyz answers."""
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        context.load_cert_chain(self.authority.path("admin.crt"), self.authority.path("admin.key"))
        try:
            with urllib.request.urlopen(f"{self.server}/readyz", timeout=2, context=context):
                return True
        except OSError:
            return False

    def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        chosen = {name: free_port() for name in ("api", "etcd", "peer")}
        chosen["api"] = self.port or chosen["api"]
        (self.folder / "ports.json").write_text(json.dumps(chosen))
        self.authority.create()
        kubernetes = [f"DNS:kubernetes{tail}" for tail in ("", ".default", ".default.svc")]
        addresses = [f"IP:{each}" for each in ("127.0.0.1", self.address, SERVICE_ADDRESS)]
        self.authority.issue(
            "apiserver", "/CN=kube-apiserver", ["DNS:localhost", *kubernetes, *addresses]
        )
        self.authority.issue("front-proxy", "/CN=front-proxy")
        self.authority.issue("apiserver-kubelet", "/O=system:masters/CN=kube-apiserver")
        self.write_kubeconfig("admin", "/O=system:masters/CN=admin")

    def _etcd_flags(self) -> list[str]:
        ports = self._ports()
        client, peer = f"http://127.0.0.1:{ports['etcd']}", f"http://127.0.0.1:{ports['peer']}"
        return [
            "--name=pennant",
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=pennant={peer}",
            "--unsafe-no-fsync",  # throw-away data: a start costs a second less
        ]

    def _apiserver_flags(self) -> list[str]:
        pki, ports = self.authority.path, self._ports()
        return [
            f"--etcd-servers=http://127.0.0.1:{ports['etcd']}",
            f"--bind-address={self.address}",
            f"--advertise-address={self.address}",
            f"--secure-port={ports['api']}",
            f"--service-cluster-ip-range={SERVICE_RANGE}",
            f"--cert-dir={self.folder / 'pki'}",
            f"--tls-cert-file={pki('apiserver.crt')}",
            f"--tls-private-key-file={pki('apiserver.key')}",
            f"--client-ca-file={pki('ca.crt')}",
            "--authorization-mode=Node,RBAC",
            # The second is OpenShift's: whoever makes children needs the right to finalizers.
            "--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement",
            "--allow-privileged",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki('sa.pub')}",
            f"--service-account-signing-key-file={pki('sa.key')}",
            f"--kubelet-client-certificate={pki('apiserver-kubelet.crt')}",
            f"--kubelet-client-key={pki('apiserver-kubelet.key')}",
            f"--kubelet-certificate-authority={pki('ca.crt')}",
            # Node names do not resolve; without this, logs and exec fail.
            "--kubelet-preferred-address-types=InternalIP",
            f"--requestheader-client-ca-file={pki('ca.crt')}",
            "--requestheader-allowed-names=front-proxy",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            f"--proxy-client-cert-file={pki('front-proxy.crt')}",
            f"--proxy-client-key-file={pki('front-proxy.key')}",
            *self.flags,
        ]

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self.ready():
            for name in ("etcd", "kube-apiserver"):
                if self.processes.running(name) is None:
                    raise DevError(f"{name} ended:\n{self.processes.tail(name)}")
            if time.monotonic() > deadline:
                tail = self.processes.tail("kube-apiserver")
                raise DevError(f"kube-apiserver not ready after {seconds:.0f} s:\n{tail}")
            time.sleep(0.1)


@contextmanager
def control_plane(folder: Path, flags: tuple[str, ...] = ALONE) -> Iterator[ControlPlane]:
    """A running control plane on free ports, ended at the end without a wait."""
    plane = ControlPlane(folder, flags=flags)
    try:
        plane.start()
        yield plane
    finally:
        plane.stop(grace=0.0)
