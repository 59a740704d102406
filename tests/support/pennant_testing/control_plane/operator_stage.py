"""ModelDeployments in a namespace with pretended pods, and what can be said about each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pennant_testing.control_plane.applied_objects import model_deployment, model_registry
from pennant_testing.control_plane.objects import NAMESPACE, Objects
from pennant_testing.control_plane.pretended_kubelet import PretendedKubelet
from pennant_testing.waiting import until

CHILDREN = ("Service", "Deployment", "ConfigMap", "ControllerRevision", "PodDisruptionBudget")


@dataclass
class Stage:
    """One namespace; `apply` is what a person does, `kubelet` what the cluster does."""

    objects: Objects
    namespace: str
    kubelet: PretendedKubelet = field(init=False)

    def __post_init__(self) -> None:
        self.objects.namespace(self.namespace)
        self.kubelet = PretendedKubelet(self.objects, self.namespace)

    def registry(self, name: str, url: str, namespace: str = NAMESPACE, **spec: Any) -> None:
        """Apply a ModelRegistry."""
        self.objects.apply(model_registry(namespace, url, name, **spec))

    def apply(self, name: str, model: str, /, **spec: Any) -> None:
        """A ModelDeployment of one pod that follows the alias `production`, unless told else."""
        usual = {"registry": "default", "replicas": 1}
        self.objects.apply(model_deployment(self.namespace, model, name, **usual | spec))

    def look(self) -> dict[str, View]:
        """Let the cluster work, then see every ModelDeployment."""
        self.kubelet.work()
        return self.views()

    def views(self) -> dict[str, View]:
        deployments = self.objects.list("ModelDeployment", self.namespace)
        return {each["metadata"]["name"]: View(each) for each in deployments}

    def view(self, name: str) -> View:
        return self.look()[name]

    def all_serve(self, version: str, names: Iterable[str]) -> bool:
        """Settled on a version, all of them."""
        seen = self.look()
        return all(seen[name].settled_on(version) for name in names)

    def serves(self, name: str, version: str) -> View:
        """Wait until one is settled on a version."""
        return self.sees(name, lambda seen: seen.settled_on(version))

    def sees(self, name: str, look: Callable[[View], object]) -> View:
        """Wait until one looks so."""
        until(lambda: look(self.view(name)), seen=lambda: self.views()[name].status)
        return self.views()[name]

    def deployments(self, name: str) -> list[dict[str, Any]]:
        """Both slots, as far as they are there."""
        return self.objects.list("Deployment", self.namespace, f"pennant.dev/deployment={name}")

    def active(self, name: str) -> dict[str, str]:
        """The truth about traffic: the Service's annotations."""
        service = self.objects.get("Service", self.namespace, name)
        return dict(service["metadata"]["annotations"]) if service else {}

    def revisions(self, name: str) -> set[str]:
        """Those that a slot is told to have pods of."""
        return {
            each["spec"]["template"]["metadata"]["labels"]["pennant.dev/revision"]
            for each in self.deployments(name)
            if each["spec"].get("replicas")
        }

    def written(self) -> dict[str, dict[str, Any]]:
        """By ModelDeployment: each of its children, and what moves when the operator writes it."""
        children: dict[str, dict[str, Any]] = {}
        for kind in CHILDREN:
            for each in self.objects.list(kind, self.namespace, "pennant.dev/deployment"):
                meta = each["metadata"]
                # The status of a Deployment is the cluster's.
                moves = meta["generation" if kind == "Deployment" else "resourceVersion"]
                of = children.setdefault(meta["labels"]["pennant.dev/deployment"], {})
                of[f"{kind}/{meta['name']}"] = (meta["uid"], moves)
        return children

    def versions(self) -> dict[str, str]:
        """Every object here and in the operator's namespace, and its resourceVersion."""
        return {
            f"{kind} {where}/{each['metadata']['name']}": each["metadata"]["resourceVersion"]
            for kind in (*CHILDREN, "ModelDeployment", "ModelRegistry", "Event")
            for where in (self.namespace, NAMESPACE)
            for each in self.objects.list(kind, where)
        }

    def burn_down(self) -> None:
        """The cluster is gone, and all that it knew of these ModelDeployments."""
        for kind in ("ModelDeployment", *CHILDREN):
            for each in self.objects.list(kind, self.namespace):
                self.objects.delete(kind, self.namespace, each["metadata"]["name"])
        self.kubelet.work()

    def clear(self) -> None:
        """Nothing is left for the next operator."""
        for kind, where in (("ModelDeployment", self.namespace), ("ModelRegistry", NAMESPACE)):
            for each in self.objects.list(kind, where):
                self.objects.delete(kind, where, each["metadata"]["name"])


@dataclass(frozen=True)
class View:
    """One ModelDeployment as it was seen."""

    live: dict[str, Any]

    @property
    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.live.get("status", {})
        return status

    @property
    def summary(self) -> str | None:
        summary: str | None = self.status.get("summary")
        return summary

    @property
    def serving(self) -> str | None:
        return self._version_of("serving")

    @property
    def candidate(self) -> str | None:
        return self._version_of("candidate")

    def _version_of(self, field: str) -> str | None:
        version: str | None = self.status.get(field, {}).get("version")
        return version

    def settled_on(self, version: str) -> bool:
        return (self.serving, self.summary, self.candidate) == (version, "Serving", None)

    def reason(self, kind: str) -> str | None:
        return self.condition(kind).get("reason")

    def condition(self, kind: str) -> dict[str, Any]:
        return next((c for c in self.conditions if c["type"] == kind), {})

    def reasons(self) -> list[tuple[str, str, str]]:
        """Type, status and reason of each condition."""
        return [(c["type"], c["status"], c["reason"]) for c in self.conditions]

    @property
    def conditions(self) -> list[dict[str, Any]]:
        conditions: list[dict[str, Any]] = self.status.get("conditions", [])
        return conditions
