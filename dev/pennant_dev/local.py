"""Provider `local`: two real nodes on this machine, without Docker.

etcd, containerd and the CNI plug-ins come from Debian, Kubernetes and CoreDNS from Go modules.
Everything listens on loopback or on a bridge that only this machine sees.
"""

import contextlib
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pennant_dev import addons, auditlog, cgroups, network, oci, packages, runtime
from pennant_dev.addons import Kubectl
from pennant_dev.binaries import ensure, exclusive
from pennant_dev.components import Components
from pennant_dev.controlplane import SERVICE_ADDRESS, ControlPlane
from pennant_dev.dnsquery import resolve
from pennant_dev.leftovers import leftovers, mounts, processes
from pennant_dev.metricsserver import NAME as METRICS_SERVER
from pennant_dev.metricsserver import MetricsServer
from pennant_dev.node import DNS_ADDRESS, PAUSE, nodes
from pennant_dev.processes import Processes
from pennant_dev.settings import Settings
from pennant_dev.shell import DevError, eprint, run, step, wait_until

API_PORT = 6443
# Stopped in this order: nothing that restarts containers may outlive what it asks.
HOST_PROCESSES = (
    "coredns",
    "kube-proxy",
    "kubelet-1",
    "kubelet-2",
    "kube-scheduler",
    "kube-controller-manager",
    "kube-apiserver",
)
RUNTIME_PROCESSES = ("containerd-1", "containerd-2", "etcd")


@dataclass(frozen=True)
class Local:
    """The two-node cluster of one state folder."""

    settings: Settings

    @property
    def _plane(self) -> ControlPlane:
        state = self.settings.state
        first = nodes(state)[0]
        return ControlPlane(state, first.address, API_PORT, flags=auditlog.flags(state))

    @property
    def _processes(self) -> Processes:
        return Processes(self.settings.state)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self._plane.kubeconfig

    def prepare(self, *programs: str) -> dict[str, Path]:
        """Install the packages and build the programs that `up` needs, and these; all of them."""
        packages.require_debian()
        packages.install(packages.LOCAL)
        return ensure("kubelite", "pause", *programs, settings=self.settings)

    def up(self) -> None:
        """Start the cluster, or say that it runs; afterwards both nodes and DNS are ready."""
        packages.require_debian()
        with self._alone():
            if not self._stopped() and self._healthy():
                self._recycle()
                return
            programs = self.prepare()
            if leftovers(self.settings):
                with step("cleared what an earlier cluster left"):
                    self._clear()
            self._start(programs)

    def down(self) -> None:
        """Stop everything and leave nothing but logs and loaded images."""
        packages.require_debian()
        with self._alone(), step("stopped the cluster"):
            self._clear()
        left = leftovers(self.settings)
        if left:
            raise DevError("still there after `down`:\n  " + "\n  ".join(left))

    def reset(self) -> None:
        """A new, empty cluster; loaded images stay."""
        self.down()
        self.up()

    def load(self, layouts: Sequence[Path]) -> None:
        """Import images, archives or folders of the shelf, into both nodes."""
        if self._stopped():
            raise DevError("the cluster is not running; start it with: dev/cluster up")
        both = nodes(self.settings.state)
        named = " ".join(each.name for each in layouts)
        with step(f"loaded {named}"), ThreadPoolExecutor(len(both)) as pool:
            list(pool.map(partial(runtime.load, layouts=layouts), both))

    def status(self) -> list[str]:
        """Lines about nodes and processes, or about what is left of a stopped cluster."""
        stopped = self._stopped()
        if len(stopped) == len(HOST_PROCESSES + RUNTIME_PROCESSES):
            return ["down", *(f"left behind: {each}" for each in leftovers(self.settings))]
        lines = [f"not running: {name}" for name in stopped]
        kubectl = self._kubectl(ensure("kubelite", settings=self.settings)["kubelite"])
        with contextlib.suppress(DevError):  # the API server may be what does not run
            lines += kubectl("get", "nodes", "--output=wide").splitlines()
        return [*lines, f"kubeconfig: {self.kubeconfig}", f"logs: {self.settings.state / 'log'}"]

    def metrics_server(self) -> MetricsServer:
        """What tells the use of pods, for whoever starts it; `up` does not."""
        programs = ensure("kubelite", METRICS_SERVER, settings=self.settings)
        node, kubectl = nodes(self.settings.state)[0], self._kubectl(programs["kubelite"])
        return MetricsServer(self._plane, node, programs[METRICS_SERVER], kubectl)

    def _start(self, programs: dict[str, Path]) -> None:
        state, started = self.settings.state, self._processes.start
        plane = self._plane
        parts = Components(plane, programs["kubelite"])
        with step("network"):
            network.raise_network(state)
        auditlog.begin(state)
        with step("control plane"):
            plane.start()
        started("kube-controller-manager", parts.controller_manager())
        started("kube-scheduler", parts.scheduler())
        started("kube-proxy", parts.proxy())
        with step("container runtimes"):
            for node in nodes(state):
                cgroups.create(node.cgroup)
                kubelet = parts.kubelet(node)
                runtime.start(node, self._processes)
                runtime.load(node, [self._pause(programs["pause"])])
                started(f"kubelet-{node.number}", kubelet)
        kubectl = self._kubectl(programs["kubelite"])
        kubectl.apply([*addons.dns(nodes(state)[0]), *addons.storage(state / "volumes")])
        started("coredns", parts.dns())
        with step("nodes ready"):
            kubectl("wait", "--for=create", "node/node-1", "node/node-2", "--timeout=60s")
            kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=60s")
        with step("cluster DNS answers"):
            wait_until(self._dns_answers, "cluster DNS does not answer", seconds=30)

    def _clear(self) -> None:
        """Undo whatever exists, in the order in which it depends on each other."""
        state = self.settings.state
        for name in (METRICS_SERVER, *HOST_PROCESSES):
            self._processes.stop(name, grace=2.0)
        for node in nodes(state):
            runtime.empty(node, self._processes)
        for name in RUNTIME_PROCESSES:
            self._processes.stop(name)
        for identity in processes(state):
            with contextlib.suppress(ProcessLookupError):
                os.kill(identity.pid, signal.SIGKILL)
        wait_until(lambda: not processes(state), "processes do not end", seconds=10)
        for mount in mounts(state):
            run(["umount", "--lazy", mount])
        network.lower_network(state)
        for node in nodes(state):
            cgroups.remove(node.cgroup)
        self._wipe()

    def _wipe(self) -> None:
        """Remove the old cluster's files, all but logs and containerd's images."""
        state = self.settings.state
        for name in ("etcd", "pki", "volumes", "run"):
            shutil.rmtree(state / name, ignore_errors=True)
        for node in nodes(state):
            for each in node.folder.iterdir() if node.folder.exists() else ():
                if each.name not in ("images", "emptied"):
                    shutil.rmtree(each) if each.is_dir() else each.unlink()
            shutil.rmtree(node.images / "io.containerd.grpc.v1.cri", ignore_errors=True)
        for link in Path("/var/log/containers").glob("*.log"):
            if link.is_symlink() and link.readlink().is_relative_to(state):
                link.unlink()

    def _pause(self, program: Path) -> Path:
        archive = self.settings.images / f"{program.parent.name}.tar"
        if not archive.exists():
            oci.write_single_binary(archive, program, PAUSE)
        return archive

    def _stopped(self) -> list[str]:
        names = HOST_PROCESSES + RUNTIME_PROCESSES
        return [name for name in names if self._processes.running(name) is None]

    def _healthy(self) -> bool:
        return self._plane.ready() and self._dns_answers()

    def _dns_answers(self) -> bool:
        return resolve(DNS_ADDRESS, "kubernetes.default.svc.cluster.local") == SERVICE_ADDRESS

    def _recycle(self) -> None:
        kubectl = self._kubectl(ensure("kubelite", settings=self.settings)["kubelite"])
        recycled = addons.recycle_volumes(kubectl, self.settings.state / "volumes")
        if recycled:
            eprint(f"emptied volumes: {' '.join(recycled)}")

    def _kubectl(self, kubelite: Path) -> Kubectl:
        return Kubectl(kubelite, self.kubeconfig)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self.settings.state.mkdir(parents=True, exist_ok=True)
        with exclusive(self.settings.state / "lock"):
            yield
