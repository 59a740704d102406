"""The pod of a revision: `fetch` puts the verified bundle on a volume, `serve` answers from it.

The serving process is trusted with nothing it does not need (law 12): no token, no registry
credentials, no root, no capabilities, a read-only root file system.
"""

from typing import Any
from urllib.parse import urlsplit

from pennant_operator.decide.manifests.cache import (
    cache_env,
    cache_volumes,
    fetch_mounts,
    ownership,
)
from pennant_operator.decide.manifests.container import (
    env_from_config,
    env_value,
    identity_env,
    security_context,
    volume_mounts,
)
from pennant_operator.decide.manifests.environment import fetch_env
from pennant_operator.decide.manifests.serve import serve_container
from pennant_operator.decide.manifests.shares import shares_volumes
from pennant_operator.decide.seen.observed import Images, ModelVersion, PackageIndex
from pennant_operator.decide.seen.spec import BUNDLE, Spec
from pennant_operator.decide.vocabulary import FETCH, LABEL_DEPLOYMENT, LABEL_REVISION, MODELS

CA_PATH = "/etc/pennant/registry/ca.crt"
ARTIFACTS_PATH = "/mnt/artifacts"
GRACE_SECONDS = 30  # for a pod to end: the pause before SIGTERM, and the drain after it
FETCH_MEMORY = "256Mi"
RESOLVING_MEMORY = "512Mi"  # of packages; uv alone was measured at 132 MiB on two cores
_SHARED = ("cpu", "memory", "ephemeral-storage")  # no device is needed to download

_COPIED = (
    "imagePullSecrets",
    "serviceAccountName",
    "nodeSelector",
    "tolerations",
    "affinity",
    "topologySpreadConstraints",
    "priorityClassName",
)


def pod_spec(
    spec: Spec,
    version: ModelVersion,
    revision: str,
    images: Images,
    index: PackageIndex | None = None,
) -> dict[str, Any]:
    """The pod spec of a revision's template."""
    serving = spec.serving
    images = images.for_python(serving.get("python"))
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            **({"fsGroup": images.fs_group} if images.fs_group is not None else {}),
            **ownership(spec),
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [_topology_spread(spec, revision)],
        **{field: serving[field] for field in _COPIED if field in serving},
        "initContainers": [_fetch_container(spec, version, revision, images, index)],
        "containers": [serve_container(spec, version, revision, images)],
        "volumes": [
            *_volumes(spec),
            *cache_volumes(spec),
            *shares_volumes(spec),
            *_artifact_volumes(version),
        ],
    }


def _topology_spread(spec: Spec, revision: str) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {LABEL_DEPLOYMENT: spec.name, LABEL_REVISION: revision}},
    }


def _fetch_container(
    spec: Spec,
    version: ModelVersion,
    revision: str,
    images: Images,
    index: PackageIndex | None,
) -> dict[str, Any]:
    config, digests = f"{spec.name}-registry", f"{spec.name}-digests"
    env = [
        *identity_env(spec, version, revision),
        env_value("PENNANT_MODEL_SOURCE", version.source),
        env_from_config("PENNANT_REGISTRY_URL", config, "url"),
        env_from_config("PENNANT_ALLOWED_SOURCES", config, "allowed-sources"),
        env_value("PENNANT_REGISTRY_CA", CA_PATH),
        env_from_config("PENNANT_REGISTRY_PROXY", config, "proxy", optional=True),
    ]
    if version.sha256:
        env.append(env_value("PENNANT_MODEL_SHA256", version.sha256))
    else:
        env.append(env_from_config("PENNANT_PINNED_SHA256", digests, revision, optional=True))
    claimed = _artifact_volumes(version)
    if claimed:
        env.append(env_value("PENNANT_ARTIFACTS_PATH", ARTIFACTS_PATH))
    env += [*fetch_env(spec, version, revision, images, index), *cache_env(spec)]
    secret = spec.serving.get("credentialsSecret")
    return {
        "name": FETCH,
        "image": images.fetch,
        "command": ["python", "-m", "pennant_serving.fetch"],
        "env": env,
        **({"envFrom": [{"secretRef": {"name": secret}}]} if secret else {}),
        "resources": _fetch_resources(spec.serving),
        "securityContext": security_context(),
        "volumeMounts": [
            *volume_mounts(read_only=False),
            *fetch_mounts(spec),
            {"name": "registry-ca", "mountPath": "/etc/pennant/registry", "readOnly": True},
            *({"name": c["name"], "mountPath": ARTIFACTS_PATH, "readOnly": True} for c in claimed),
        ],
    }


def _fetch_resources(serving: dict[str, Any]) -> dict[str, Any]:
    """As much as `serve` has, where nobody says otherwise.

    It costs the pod nothing, for they never run together, and whatever the namespace asks of
    containers (a quota, a LimitRange) is met by both or by neither.
    """
    if "fetch" in serving and "resources" in serving["fetch"]:
        own: dict[str, Any] = serving["fetch"]["resources"]
        return own
    given = serving.get("resources", {})
    shared = {
        kind: {name: amount for name, amount in given.get(kind, {}).items() if name in _SHARED}
        for kind in ("requests", "limits")
    }
    if not any("memory" in amounts for amounts in shared.values()):
        memory = RESOLVING_MEMORY if serving.get("environment") == BUNDLE else FETCH_MEMORY
        shared = {kind: {**amounts, "memory": memory} for kind, amounts in shared.items()}
    return {kind: amounts for kind, amounts in shared.items() if amounts}


def _volumes(spec: Spec) -> list[dict[str, Any]]:
    size = spec.serving.get("storage", {}).get("size")
    return [
        {"name": MODELS, "emptyDir": {"sizeLimit": size} if size else {}},
        {"name": "tmp", "emptyDir": {}},
        {
            "name": "registry-ca",
            "configMap": {
                "name": f"{spec.name}-registry",
                "items": [{"key": "ca.crt", "path": "ca.crt"}],
                "optional": True,
            },
        },
    ]


def _artifact_volumes(version: ModelVersion) -> list[dict[str, Any]]:
    """The volume of a source in a claim of this namespace (pvc://claim/path); else none."""
    source = urlsplit(version.source)
    if source.scheme != "pvc":
        return []
    # Read-only here too: otherwise fsGroup would change the owner of all that is in it.
    claim = {"claimName": source.netloc, "readOnly": True}
    return [{"name": "artifacts", "persistentVolumeClaim": claim}]
