"""Provider `kind`: where a Docker daemon answers. Command lines are built by pure functions."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pennant_dev.binaries import ensure
from pennant_dev.settings import Settings
from pennant_dev.shell import run, step, succeeds

NAME = "pennant"
WORKERS = 2
# A pod that fills its disk is evicted within 20 s, not 70.
KUBELET = """\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
volumeStatsAggPeriod: 5s
"""


def usable() -> bool:
    """Whether kind is installed and a Docker daemon answers; the client alone is not enough."""
    return succeeds(["kind", "version"]) and succeeds(["docker", "info"])


def config() -> str:
    """kind's cluster file: one control plane and the workers."""
    roles = ["control-plane"] + ["worker"] * WORKERS
    return json.dumps(
        {
            "kind": "Cluster",
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "nodes": [{"role": role} for role in roles],
            "kubeadmConfigPatches": [KUBELET],
        }
    )


def create_command(kubeconfig: Path) -> list[str]:
    """Create the cluster; its file comes on standard input."""
    return [
        *("kind", "create", "cluster", f"--name={NAME}", "--config=-"),
        *(f"--kubeconfig={kubeconfig}", "--wait=120s"),
    ]


def delete_command(kubeconfig: Path) -> list[str]:
    """Delete the cluster and its kubeconfig entry."""
    return ["kind", "delete", "cluster", f"--name={NAME}", f"--kubeconfig={kubeconfig}"]


def load_command(source: str | Path) -> list[str]:
    """Load an archive (a path) or an image that Docker has (a name)."""
    what = "image-archive" if isinstance(source, Path) else "docker-image"
    return ["kind", "load", what, str(source), f"--name={NAME}"]


@dataclass(frozen=True)
class Kind:
    """The kind cluster named `pennant`."""

    settings: Settings

    @property
    def kubeconfig(self) -> Path:
        """Its own file: the user's ~/.kube/config is not touched."""
        return self.settings.cache / "kind.kubeconfig"

    def prepare(self, *programs: str) -> None:
        """Build these programs; kind and Docker bring what a cluster needs."""
        ensure(*programs, settings=self.settings)

    def up(self) -> None:
        """Create the cluster unless it exists."""
        if not self._exists():
            self.settings.cache.mkdir(parents=True, exist_ok=True)
            with step("created the kind cluster"):
                run(create_command(self.kubeconfig), stdin=config())

    def down(self) -> None:
        """Delete the cluster."""
        with step("deleted the kind cluster"):
            run(delete_command(self.kubeconfig))

    def reset(self) -> None:
        """A new, empty cluster."""
        self.down()
        self.up()

    def load(self, sources: Sequence[str | Path]) -> None:
        """Load archives or Docker images into every node."""
        for each in sources:
            with step(f"loaded {each}"):
                run(load_command(each))

    def status(self) -> list[str]:
        """Whether the cluster exists, and where its kubeconfig is."""
        return [f"kubeconfig: {self.kubeconfig}"] if self._exists() else ["down"]

    def _exists(self) -> bool:
        return NAME in run(["kind", "get", "clusters"], check=False).split()
