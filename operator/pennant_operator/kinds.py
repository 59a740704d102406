"""The kinds of objects that are read and written, and their addresses at the API server."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """How a kind of object is addressed."""

    name: str
    api_version: str
    plural: str

    def path(self, namespace: str | None, name: str = "", subresource: str = "") -> str:
        """The URL path of an object, or of all of them in a namespace, or (None) everywhere."""
        root = "/api/" if "/" not in self.api_version else "/apis/"
        parts = [root + self.api_version]
        if namespace is not None:
            parts += ["namespaces", namespace]
        return "/".join([*parts, self.plural, *filter(None, (name, subresource))])


KINDS = {
    kind.name: kind
    for kind in (
        Kind("ModelDeployment", "pennant.dev/v1alpha1", "modeldeployments"),
        Kind("ModelRegistry", "pennant.dev/v1alpha1", "modelregistries"),
        Kind("RolloutAction", "pennant.dev/v1alpha1", "rolloutactions"),
        Kind("Deployment", "apps/v1", "deployments"),
        Kind("ControllerRevision", "apps/v1", "controllerrevisions"),
        Kind("Service", "v1", "services"),
        Kind("ConfigMap", "v1", "configmaps"),
        Kind("Pod", "v1", "pods"),
        Kind("Secret", "v1", "secrets"),
        Kind("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets"),
        Kind("Event", "v1", "events"),
        Kind("Lease", "coordination.k8s.io/v1", "leases"),
    )
}
