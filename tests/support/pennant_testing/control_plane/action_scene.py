"""A ModelDeployment and people who act on it by RolloutActions, on a real API server."""

from typing import Any
from uuid import uuid4

from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_stage import Stage, View
from pennant_testing.mlflow.mlflow_server import Mlflow


class ActionScene:
    """A namespace in which version 1 serves, version 2 is registered, and people act."""

    def __init__(self, objects: Objects, mlflow_url: str) -> None:
        self.name = f"m{uuid4().hex[:8]}"
        self.namespace = f"acts-{self.name}"
        self.objects, self.stage = objects, Stage(objects, self.namespace)
        self.mlflow = Mlflow(mlflow_url)
        self.first, self.second = (self.mlflow.register(self.name) for _ in range(2))
        self.stage.registry("default", mlflow_url, pollInterval="1s")
        self.mlflow.promote(self.name, self.first)

    def apply(self, **spec: Any) -> None:
        self.stage.apply(self.name, self.name, **{"rollout": {"bake": "0s"}, **spec})

    def serves(self, version: str) -> View:
        return self.stage.serves(self.name, version)

    def view(self) -> View:
        return self.stage.view(self.name)

    def promote(self, version: str, fate: dict[str, Any] | None = None) -> None:
        if fate is not None:
            self.stage.kubelet.fates[self.name, version] = fate
        self.mlflow.promote(self.name, version)

    def manifest(self, action: str, namespace: str = "", **spec: Any) -> dict[str, Any]:
        about = {} if "registry" in spec else {"deployment": self.name}
        name = f"{action.lower()}-{uuid4().hex[:6]}"
        return {
            "apiVersion": "pennant.dev/v1alpha1",
            "kind": "RolloutAction",
            "metadata": {"name": name, "namespace": namespace or self.namespace},
            "spec": {"action": action, **about, **spec},
        }

    def act(self, action: str, **spec: Any) -> str:
        made = self.objects.create(self.manifest(action, **spec))
        return str(made["metadata"]["name"])

    def undo(self, name: str) -> None:
        self.objects.delete("RolloutAction", self.namespace, name)

    def status(self, name: str, namespace: str = "") -> dict[str, str]:
        live = self.objects.get("RolloutAction", namespace or self.namespace, name)
        return dict(live.get("status", {})) if live else {}

    def state(self, name: str) -> str | None:
        self.stage.look()
        return self.status(name).get("state")

    def clear(self) -> None:
        for each in self.objects.list("RolloutAction", self.namespace):
            self.undo(each["metadata"]["name"])
        for name in self.stage.views():
            self.objects.delete("ModelDeployment", self.namespace, name)
