"""The container that answers requests: Pennant's own server, or one of the user's (mode Custom).

Both get the verified bundle read-only at PENNANT_MODEL_PATH and answer on the port named `http`;
ours also speaks gRPC, on the port of that name. The Service offers the ports that are named here.
"""

import math
from typing import Any

from pennant_operator.decide.manifests.cache import serve_mounts
from pennant_operator.decide.manifests.container import (
    env_value,
    identity_env,
    security_context,
    volume_mounts,
)
from pennant_operator.decide.manifests.environment import mode_env
from pennant_operator.decide.manifests.rehearsal import rehearsal_env
from pennant_operator.decide.manifests.shares import shares_env, shares_mounts
from pennant_operator.decide.manifests.tuning import tuning_env
from pennant_operator.decide.seen.observed import Images, ModelVersion
from pennant_operator.decide.seen.revision import SERVER_COMMAND
from pennant_operator.decide.seen.spec import CUSTOM, Spec
from pennant_operator.decide.vocabulary import PORT_NAME, SERVE

PORT, GRPC_PORT = 8080, 9000
# before SIGTERM: the endpoint is gone from every node's rules when the process hears of its end
PRE_STOP_SECONDS = 3
DRAIN_SECONDS = 20  # for requests in flight, after SIGTERM
# that the kubelet lets a model load, or spec.rollout.deadlines.load where that is more
LEAST_STARTUP_SECONDS = 3600

_COPIED = ("imagePullPolicy", "resources", "envFrom")


def serve_container(
    spec: Spec, version: ModelVersion, revision: str, images: Images
) -> dict[str, Any]:
    """The serving container of a revision."""
    serving = spec.serving
    custom = serving.get("mode") == CUSTOM
    own = _custom_server(serving) if custom else _pennant_server(spec, revision, images)
    if version.image is not None:  # its libraries move with it, whoever's the server is
        own["image"] = version.image
    own["env"] = [*identity_env(spec, version, revision), *own["env"], *serving.get("env", ())]
    return {
        "name": SERVE,
        **own,
        "lifecycle": {"preStop": {"sleep": {"seconds": PRE_STOP_SECONDS}}},
        # A process that dies without a word leaves the end of its log as the reason.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": security_context(
            writable_root=custom and serving.get("writableRoot", False)
        ),
        "volumeMounts": [*volume_mounts(read_only=True), *serve_mounts(spec), *shares_mounts(spec)],
        **{field: serving[field] for field in _COPIED if field in serving},
    }


def _pennant_server(spec: Spec, revision: str, images: Images) -> dict[str, Any]:
    serving = spec.serving
    return {
        "image": serving.get("image", images.serving),
        "command": [*SERVER_COMMAND],
        "env": [
            env_value("PENNANT_ADAPTER", serving.get("adapter", "auto")),
            env_value("PENNANT_SELF_TEST", serving.get("selfTest", "IfPresent")),
            env_value("PENNANT_PORT", str(PORT)),
            env_value("PENNANT_DRAIN_SECONDS", str(DRAIN_SECONDS)),
            *_check_env(spec),
            *tuning_env(serving),
            *mode_env(serving),
            *rehearsal_env(spec, revision),
            *shares_env(),
        ],
        "ports": _container_ports(http=PORT, grpc=GRPC_PORT),
        # While the server starts it keeps the question until it is ready: no rollout waits for a
        # probe's next turn. Later the answer costs the pod microseconds.
        "startupProbe": _readiness_probe(seconds=_startup_seconds(spec)),
        "readinessProbe": _readiness_probe(seconds=3),
        "livenessProbe": _http_probe(
            "live", periodSeconds=10, timeoutSeconds=5, failureThreshold=3
        ),
    }


def _check_env(spec: Spec) -> list[dict[str, Any]]:
    """Of what is not written nothing is rendered: the server has the default."""
    check = spec.environment_check
    return [] if check is None else [env_value("PENNANT_ENVIRONMENT_CHECK", check)]


def _custom_server(serving: dict[str, Any]) -> dict[str, Any]:
    """The user's server as written; without a command the image's own entry point runs."""
    port, probes = serving["port"], serving["probes"]
    return {
        "image": serving["image"],
        **{field: serving[field] for field in ("command", "args") if field in serving},
        "env": [env_value("PENNANT_PORT", str(port))],
        "ports": _container_ports(http=port),
        **{
            f"{kind}Probe": _probe_with_port(probes[kind], port)
            for kind in ("readiness", "liveness", "startup")
            if kind in probes
        },
    }


def _container_ports(**numbers: int) -> list[dict[str, Any]]:
    return [
        {"name": name, "containerPort": number, "protocol": "TCP"}
        for name, number in numbers.items()
    ]


def _startup_seconds(spec: Spec) -> int:
    """Seconds that the kubelet lets it load, while a model may hold the interpreter's lock.

    It is recorded with the revision, where the deadline may be raised later: the operator goes by
    that, takes a candidate down and replaces a pod; this is for when nobody else does.
    """
    return max(math.ceil(spec.deadlines.load.total_seconds()), LEAST_STARTUP_SECONDS)


def _readiness_probe(*, seconds: int) -> dict[str, Any]:
    return _http_probe(
        "ready?wait=1.5", periodSeconds=1, timeoutSeconds=2, failureThreshold=seconds
    )


def _http_probe(what: str, **timing: int) -> dict[str, Any]:
    return {"httpGet": {"path": f"/v2/health/{what}", "port": PORT_NAME}, **timing}


def _probe_with_port(probe: dict[str, Any], port: int) -> dict[str, Any]:
    """A probe asks the serving port unless it names another one."""
    return {
        key: {"port": port, **part} if key in {"httpGet", "tcpSocket", "grpc"} else part
        for key, part in probe.items()
    }
