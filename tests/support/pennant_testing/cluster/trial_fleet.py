"""Many ModelDeployments at once: what takes a minute for one takes little longer for all."""

import json
from collections.abc import Mapping
from typing import Any

from pennant_dev.demo import setup
from pennant_dev.demo.kube import Kube
from pennant_dev.demo.pods import NAMESPACE
from pennant_testing.cluster.deployed import MODEL as RECOMMENDER
from pennant_testing.cluster.deployed import POINT, Deployed
from pennant_testing.cluster.pod_scripts import source

MODEL = "trials"
SMALL = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}
CUSTOM = {  # a server that is never ready
    "mode": "Custom",
    "image": "localhost/pennant-serving:dev",
    "command": ["python", "-m", "http.server", "8080", "--directory", "/models/bundle"],
    "port": 8080,
    "probes": {"readiness": {"httpGet": {"path": "/healthy"}, "periodSeconds": 1}},
}


def register(kube: Kube) -> dict[str, str]:
    """The versions of the model `trials`, by the row they are for."""
    return _registered(kube, "register_versions", MODEL)


def register_recommenders(kube: Kube) -> dict[str, str]:
    """Versions 1, 2 and 3 of the recommender, and what their answers carry; 3 cannot be loaded."""
    return _registered(kube, "register_recommenders", RECOMMENDER)


def _registered(kube: Kube, script: str, model: str) -> dict[str, str]:
    words = ("exec", "--stdin", setup.TOOLBOX, f"--namespace={NAMESPACE}", "--")
    output = kube(*words, "python", "-", model, stdin=source(script))
    versions: dict[str, str] = json.loads(output.strip().splitlines()[-1])
    return versions


class Fleet:
    """ModelDeployments of the model `trials`; each follows an alias of its own name."""

    def __init__(self, kube: Kube, versions: Mapping[str, str], namespace: str) -> None:
        self.kube = kube
        self.versions = versions
        self._namespace = namespace
        self._all: dict[str, Deployed] = {}
        self._specs: dict[str, dict[str, Any]] = {}

    def __getitem__(self, name: str) -> Deployed:
        return self._all[name]

    def add(self, name: str, namespace: str = "", **spec: Any) -> None:
        """One more, not applied yet."""
        self._all[name] = Deployed(self.kube, name, namespace or self._namespace, MODEL)
        self._specs[name] = {"serving": {"resources": SMALL}}
        self.change(name, **spec)

    def change(self, name: str, **spec: Any) -> None:
        """Another spec, not applied yet; `serving` is added to what it was."""
        before = self._specs[name]
        serving = {**before["serving"], **spec.pop("serving", {})}
        self._specs[name] = {**before, **spec, "serving": serving}

    def apply(self) -> None:
        """All of them, in one request."""
        items = [each.manifest(**self._specs[name]) for name, each in self._all.items()]
        self.kube("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List",
                                                        "items": items}))  # fmt: skip

    def point(self, *moves: tuple[str, str], pause: float = 0) -> None:
        """Move aliases to the versions of rows, in this order, in one process."""
        words = [f"{alias}={self.versions[row]}" for alias, row in moves]
        command = ("python", "-c", POINT, MODEL, str(pause), *words)
        self.kube.execute(NAMESPACE, setup.TOOLBOX, *command)

    def serve(self, row: str = "good") -> None:
        """All aliases at one version, and all of them serving it."""
        self.point(*((name, row) for name in self._all))
        self.apply()
        for each in self._all.values():
            each.until(serving=self.versions[row], summary="Serving")

    def delete(self) -> None:
        """All of them, without waiting for their pods."""
        for each in self._all.values():
            each.delete("--wait=false")
