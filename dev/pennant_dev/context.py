"""Provider `context`: the cluster that your kubeconfig's current context names. It is yours."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pennant_dev.binaries import ensure
from pennant_dev.settings import Settings
from pennant_dev.shell import DevError, run


@dataclass(frozen=True)
class Context:
    """A cluster that somebody else starts, stops and gives images to."""

    settings: Settings

    @property
    def kubeconfig(self) -> Path:
        """The file of KUBECONFIG, or ~/.kube/config."""
        named = self.settings.kubeconfig
        if ":" in named:
            raise DevError(f"KUBECONFIG={named}: one file, please: kubectl config view --flatten")
        return Path(named).expanduser()

    def prepare(self, *programs: str) -> None:
        """Build these programs; the cluster needs none."""
        ensure(*programs, settings=self.settings)

    def up(self) -> None:
        """Nothing to start: DevError unless its API server answers."""
        self._kubectl("version")

    def down(self) -> None:
        """Refused."""
        raise DevError("PENNANT_CLUSTER=context: this cluster is yours to stop, not ours")

    def reset(self) -> None:
        """Refused."""
        self.down()

    def load(self, sources: Sequence[str | Path]) -> None:
        """Refused: nothing here reaches the nodes."""
        named = " ".join(str(each) for each in sources)
        raise DevError(
            "PENNANT_CLUSTER=context: images cannot be loaded into this cluster's nodes; push "
            f"{named} to a registry that it can pull from, and install with that registry: "
            "helm install ... --set image.registry=..., or `images:` in the kustomization"
        )

    def status(self) -> list[str]:
        """The context's name, the nodes, and where the kubeconfig is."""
        name = self._kubectl("config", "current-context").strip()
        nodes = self._kubectl("get", "nodes", "--output=wide").splitlines()
        return [f"context: {name}", *nodes, f"kubeconfig: {self.kubeconfig}"]

    def _kubectl(self, *words: str) -> str:
        return run(["kubectl", f"--kubeconfig={self.kubeconfig}", *words])
