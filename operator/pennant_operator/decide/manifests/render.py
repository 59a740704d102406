"""Builds the manifests of the children.

`deployment_of` runs only when a slot takes a revision nobody recorded yet; every later apply sends
the recorded manifest through `deployment_for_slot` with another size (law 5).
"""

from typing import Any

from pennant_operator.decide.goal.availability import MAX_UNAVAILABLE
from pennant_operator.decide.goal.ownership import controller_reference
from pennant_operator.decide.manifests.pod import pod_spec
from pennant_operator.decide.manifests.rehearsal import token_secret_name
from pennant_operator.decide.seen.observed import (
    Images,
    ModelVersion,
    Object,
    PackageIndex,
    RegistryFacts,
)
from pennant_operator.decide.seen.revision import Record, record_data
from pennant_operator.decide.seen.spec import Spec
from pennant_operator.decide.seen.traffic import Route
from pennant_operator.decide.vocabulary import (
    ANNOTATION_MODEL,
    ANNOTATION_MODEL_VERSION,
    LABEL_DEPLOYMENT,
    LABEL_LOBBY,
    LABEL_MANAGED_BY,
    LABEL_NAME,
    LABEL_REVISION,
    LABEL_SLOT,
    MANAGED_BY,
    PORT_NAME,
    SERVE,
)
from pennant_registry.sources import joined

SERVICE_PORTS = {"http": 80, "grpc": 9000}  # by the names of the serving container's ports


def child_metadata(spec: Spec, name: str, **labels: str) -> dict[str, Any]:
    """Name, labels and the controller reference: deleting the owner deletes the child."""
    return {
        "name": name,
        "namespace": spec.namespace,
        "labels": {
            LABEL_MANAGED_BY: MANAGED_BY,
            LABEL_NAME: spec.name,
            LABEL_DEPLOYMENT: spec.name,
            **labels,
        },
        "ownerReferences": [controller_reference(spec.name, spec.uid)],
    }


# The webhooks that give pods a cloud identity give it to `fetch` alone (law 12).
NO_CLOUD_IDENTITY = {
    "eks.amazonaws.com/skip-containers": SERVE,
    "azure.workload.identity/skip-containers": SERVE,
}


def deployment_of(
    spec: Spec,
    version: ModelVersion,
    revision: str,
    images: Images,
    index: PackageIndex | None = None,
) -> Object:
    """The manifest to record for a revision: no name, slot or size yet."""
    serving = spec.serving
    labels = {
        **serving.get("labels", {}),
        LABEL_MANAGED_BY: MANAGED_BY,
        LABEL_NAME: spec.name,
        LABEL_DEPLOYMENT: spec.name,
        LABEL_REVISION: revision,
    }
    annotations = {
        **serving.get("annotations", {}),
        **NO_CLOUD_IDENTITY,
        ANNOTATION_MODEL: version.name,
        ANNOTATION_MODEL_VERSION: version.version,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": child_metadata(spec, "", **{LABEL_REVISION: revision}),
        "spec": {
            "revisionHistoryLimit": 0,  # the ControllerRevisions are the history
            # Pods of a slot change by emptying it; this only softens an edit made by hand.
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            },
            "selector": {"matchLabels": {LABEL_DEPLOYMENT: spec.name}},
            "template": {
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": pod_spec(spec, version, revision, images, index),
            },
        },
    }


def deployment_for_slot(spec: Spec, record: Record, *, slot: str, replicas: int) -> Object:
    """The recorded manifest in one of the two slots, at a size; its owner is today's."""
    meta, recorded = record.manifest["metadata"], record.manifest["spec"]
    template, mark = recorded["template"], {LABEL_SLOT: slot}
    pods = {**template["metadata"], "labels": {**template["metadata"]["labels"], **mark}}
    return {
        **record.manifest,
        "metadata": {
            **meta,
            "name": f"{spec.name}-{slot}",
            "labels": {**meta["labels"], **mark},
            "ownerReferences": [controller_reference(spec.name, spec.uid)],
        },
        "spec": {
            **recorded,
            "selector": {"matchLabels": {**recorded["selector"]["matchLabels"], **mark}},
            "template": {**template, "metadata": pods},
            "replicas": replicas,
        },
    }


def controller_revision_of(spec: Spec, record: Record) -> Object:
    """The ControllerRevision that keeps a record; the API server holds its data immutable."""
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": child_metadata(
            spec, f"{spec.name}-{record.revision}", **{LABEL_REVISION: record.revision}
        ),
        "revision": record.number,
        "data": record_data(record),
    }


def service_of(
    spec: Spec,
    slot: str,
    annotations: dict[str, str],
    record: Record | None = None,
    route: Route = Route.SLOT,
) -> Object:
    """The Service; selector, ports and annotations go together and are written in one request.

    It offers what the pods of the record behind it declare, so a revision from before a port was
    known, or with a server of the user's own, is not promised to answer there.
    """
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {**child_metadata(spec, spec.name), "annotations": annotations},
        "spec": {
            "selector": _selector(spec, slot, route),
            "ports": [
                {"name": name, "port": SERVICE_PORTS[name], "targetPort": name, "protocol": "TCP"}
                for name in _declared(record)
            ],
        },
    }


def _selector(spec: Spec, slot: str, route: Route) -> dict[str, str]:
    if route is Route.LOBBY:
        return {LABEL_LOBBY: spec.name}
    if route is Route.BOTH:
        return {LABEL_DEPLOYMENT: spec.name}
    return {LABEL_DEPLOYMENT: spec.name, LABEL_SLOT: slot}


def _declared(record: Record | None) -> list[str]:
    ports = record.container.get("ports", ()) if record else ()
    named = {port.get("name") for port in ports}
    return [name for name in SERVICE_PORTS if name == PORT_NAME or name in named]


def registry_config_of(spec: Spec, registry: RegistryFacts) -> Object:
    """What `fetch` must know of the registry; changing it rolls nothing, new pods read it."""
    data = {"url": registry.url, "allowed-sources": joined(registry.allowed_sources)}
    optional = {"ca.crt": registry.ca_bundle, "proxy": registry.proxy}
    if registry.index is not None:
        extra_urls = " ".join(registry.index.extra_urls)
        optional |= {"index-url": registry.index.url, "extra-index-urls": extra_urls}
    data |= {key: value for key, value in optional.items() if value}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": child_metadata(spec, f"{spec.name}-registry"),
        "data": data,
    }


def digests_of(spec: Spec, digests: dict[str, str]) -> Object:
    """What was pinned when traffic moved, by revision; later pods must match."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": child_metadata(spec, f"{spec.name}-digests"),
        "data": digests,
    }


def token_secret_of(spec: Spec) -> Object:
    """The Secret, without the token: that is drawn when it is made, and only pods ever read it."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": child_metadata(spec, token_secret_name(spec)),
        "type": "Opaque",
        "immutable": True,
    }


def disruption_budget_of(spec: Spec, slot: str) -> Object:
    """A tenth of a slot may be evicted at a time; a pod that is not ready never blocks a drain."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": child_metadata(spec, f"{spec.name}-{slot}", **{LABEL_SLOT: slot}),
        "spec": {
            "maxUnavailable": MAX_UNAVAILABLE,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": {LABEL_DEPLOYMENT: spec.name, LABEL_SLOT: slot}},
        },
    }
