"""The pod of a revision: `fetch` puts the verified bundle on a volume, `serve` answers from it.

The serving process is trusted with nothing it does not need (law 12): no token, no registry
credentials, no root, no capabilities, a read-only root file system.
"""

from typing import Any

from pennant_operator.decide.observed import Images, ModelVersion
from pennant_operator.decide.pods import FETCH, SERVE
from pennant_operator.decide.spec import Spec
from pennant_operator.decide.vocabulary import LABEL_DEPLOYMENT, LABEL_REVISION

PORT = 8080
MODEL_PATH = "/models/bundle"
CA_PATH = "/etc/pennant/registry/ca.crt"
GROUP = 65532
# The endpoint is gone from every node's rules before the process hears of its end.
PRE_STOP_SECONDS = 3
GRACE_SECONDS = 30
DRAIN_SECONDS = 20

_COPIED = (
    "imagePullSecrets",
    "serviceAccountName",
    "nodeSelector",
    "tolerations",
    "affinity",
    "topologySpreadConstraints",
    "priorityClassName",
)

_CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def pod_spec(spec: Spec, version: ModelVersion, revision: str, images: Images) -> dict[str, Any]:
    """The pod spec of a revision's template."""
    serving = spec.serving
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "fsGroup": GROUP,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [_spread(spec, revision)],
        **{field: serving[field] for field in _COPIED if field in serving},
        "initContainers": [_fetch(spec, version, revision, images)],
        "containers": [_serve(spec, version, revision, images)],
        "volumes": _volumes(spec),
    }


def _spread(spec: Spec, revision: str) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {LABEL_DEPLOYMENT: spec.name, LABEL_REVISION: revision}},
    }


def _fetch(spec: Spec, version: ModelVersion, revision: str, images: Images) -> dict[str, Any]:
    config = f"{spec.name}-registry"
    env = [
        *_identity(spec, version, revision),
        _value("PENNANT_MODEL_SOURCE", version.source),
        _from_config("PENNANT_REGISTRY_URL", config, "url"),
        _from_config("PENNANT_ALLOWED_SOURCES", config, "allowed-sources"),
        _value("PENNANT_REGISTRY_CA", CA_PATH),
    ]
    if version.sha256:
        env.append(_value("PENNANT_MODEL_SHA256", version.sha256))
    else:
        env.append(_from_config("PENNANT_PINNED_SHA256", f"{spec.name}-digests", revision))
        env[-1]["valueFrom"]["configMapKeyRef"]["optional"] = True
    secret = spec.serving.get("credentialsSecret")
    return {
        "name": FETCH,
        "image": images.fetch,
        "command": ["python", "-m", "pennant_serving.fetch"],
        "env": env,
        **({"envFrom": [{"secretRef": {"name": secret}}]} if secret else {}),
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"memory": "512Mi"},
        },
        "securityContext": _CONTAINER_SECURITY,
        "volumeMounts": [
            {"name": "models", "mountPath": "/models"},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 -- a path in the container
            {"name": "registry-ca", "mountPath": "/etc/pennant/registry", "readOnly": True},
        ],
    }


def _serve(spec: Spec, version: ModelVersion, revision: str, images: Images) -> dict[str, Any]:
    serving = spec.serving
    env = [
        *_identity(spec, version, revision),
        _value("PENNANT_ADAPTER", serving.get("adapter", "auto")),
        _value("PENNANT_SELF_TEST", serving.get("selfTest", "IfPresent")),
        _value("PENNANT_PORT", str(PORT)),
        _value("PENNANT_DRAIN_SECONDS", str(DRAIN_SECONDS)),
        *serving.get("env", ()),
    ]
    container: dict[str, Any] = {
        "name": SERVE,
        "image": serving.get("image", images.serving),
        "command": ["python", "-m", "pennant_serving"],
        "env": env,
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        # One second: how fast a rollout may be. The answer costs the pod microseconds.
        "readinessProbe": _probe("ready", periodSeconds=1, timeoutSeconds=2, failureThreshold=3),
        "livenessProbe": _probe(
            "live", initialDelaySeconds=30, periodSeconds=10, timeoutSeconds=5, failureThreshold=3
        ),
        "lifecycle": {"preStop": {"sleep": {"seconds": PRE_STOP_SECONDS}}},
        # A process that dies without a word leaves the end of its log as the reason.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": _CONTAINER_SECURITY,
        "volumeMounts": [
            {"name": "models", "mountPath": "/models", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 -- a path in the container
        ],
    }
    for field in ("imagePullPolicy", "resources", "envFrom"):
        if field in serving:
            container[field] = serving[field]
    return container


def _identity(spec: Spec, version: ModelVersion, revision: str) -> list[dict[str, Any]]:
    return [
        _value("PENNANT_MODEL_NAME", version.name),
        _value("PENNANT_MODEL_VERSION", version.version),
        _value("PENNANT_MODEL_PATH", MODEL_PATH),
        _value("PENNANT_DEPLOYMENT", spec.name),
        _value("PENNANT_REVISION", revision),
    ]


def _value(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value}


def _from_config(name: str, config: str, key: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"configMapKeyRef": {"name": config, "key": key}}}


def _probe(what: str, **timing: int) -> dict[str, Any]:
    return {"httpGet": {"path": f"/v2/health/{what}", "port": "http"}, **timing}


def _volumes(spec: Spec) -> list[dict[str, Any]]:
    size = spec.serving.get("storage", {}).get("size")
    return [
        {"name": "models", "emptyDir": {"sizeLimit": size} if size else {}},
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
