"""The children that are there only while a revision takes over: the lobby, and two Services.

None of them is there, and none costs anything, while nothing moves.
"""

import math
from typing import Any

from pennant_operator.decide.manifests.container import env_value, security_context
from pennant_operator.decide.manifests.render import SERVICE_PORTS, child_metadata
from pennant_operator.decide.manifests.serve import GRPC_PORT, PORT
from pennant_operator.decide.seen.observed import Images, Object
from pennant_operator.decide.seen.spec import Spec
from pennant_operator.decide.vocabulary import (
    LABEL_DEPLOYMENT,
    LABEL_LOBBY,
    LABEL_MANAGED_BY,
    LABEL_NAME,
    LABEL_SLOT,
    MANAGED_BY,
    PORT_NAME,
)

LOBBY_PODS = 2
LOBBY_HELD_BYTES = 64 * 2**20  # of requests that wait, in each of its pods
_LOBBY_MEMORY = {"requests": "64Mi", "limits": "192Mi"}  # idle; with what it holds
_LOBBY_PROBE_PORT = 8081
_LOBBY_GRACE_SECONDS = 35  # for what waits, beyond its longest wait, to be answered


def pods_service_of(spec: Spec, slot: str) -> Object:
    """Where the lobby sends what it holds: to the pods that have the traffic, and no others.

    A candidate's answer nothing before they passed (law 1).
    """
    selector = {LABEL_DEPLOYMENT: spec.name, LABEL_SLOT: slot}
    return _service(spec, f"{spec.name}-pods", selector)


def candidate_service_of(spec: Spec, slot: str) -> Object:
    """Leads to the candidate; with no slot to nobody, which stops a hand-over at once."""
    selector = {LABEL_DEPLOYMENT: spec.name, LABEL_SLOT: slot}
    return _service(spec, f"{spec.name}-candidate", selector)


def lobby_of(spec: Spec, images: Images) -> Object:
    """The pods that hold requests; they know no model and no credentials."""
    labels = {
        LABEL_MANAGED_BY: MANAGED_BY,
        LABEL_NAME: spec.name,
        LABEL_LOBBY: spec.name,
    }
    target = f"{spec.name}-pods"
    wait = spec.strategy.max_wait.total_seconds()
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": child_metadata(spec, f"{spec.name}-lobby"),
        "spec": {
            "replicas": LOBBY_PODS,
            "revisionHistoryLimit": 0,
            "selector": {"matchLabels": {LABEL_LOBBY: spec.name}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "terminationGracePeriodSeconds": math.ceil(wait) + _LOBBY_GRACE_SECONDS,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    **_placement(spec),
                    "containers": [
                        {
                            "name": "lobby",
                            "image": images.serving,
                            "command": ["python", "-m", "pennant_serving.lobby"],
                            "env": [
                                env_value("PENNANT_LOBBY_TO", f"{target}:{SERVICE_PORTS['http']}"),
                                env_value(
                                    "PENNANT_LOBBY_GRPC_TO", f"{target}:{SERVICE_PORTS['grpc']}"
                                ),
                                env_value("PENNANT_LOBBY_MAX_WAIT", f"{wait:g}"),
                                env_value("PENNANT_LOBBY_MAX_BYTES", str(LOBBY_HELD_BYTES)),
                            ],
                            "ports": [
                                {"name": PORT_NAME, "containerPort": PORT, "protocol": "TCP"},
                                {"name": "grpc", "containerPort": GRPC_PORT, "protocol": "TCP"},
                                {
                                    "name": "probes",
                                    "containerPort": _LOBBY_PROBE_PORT,
                                    "protocol": "TCP",
                                },
                            ],
                            "readinessProbe": {
                                "httpGet": {"path": "/readyz", "port": "probes"},
                                "periodSeconds": 1,
                            },
                            "resources": {
                                "requests": {"cpu": "50m", "memory": _LOBBY_MEMORY["requests"]},
                                "limits": {"memory": _LOBBY_MEMORY["limits"]},
                            },
                            "securityContext": security_context(),
                        }
                    ],
                },
            },
        },
    }


def _placement(spec: Spec) -> dict[str, Any]:
    """Wherever its pods may run; what picks nodes with devices is none of the lobby's."""
    copied = ("imagePullSecrets", "tolerations", "priorityClassName")
    return {field: spec.serving[field] for field in copied if field in spec.serving}


def _service(spec: Spec, name: str, selector: dict[str, str]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": child_metadata(spec, name),
        "spec": {
            "selector": selector,
            "ports": [
                {"name": port, "port": number, "targetPort": port, "protocol": "TCP"}
                for port, number in SERVICE_PORTS.items()
            ],
        },
    }
