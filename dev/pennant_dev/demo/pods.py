"""Pods of the demo that no file describes: training Jobs, toolbox, load generator. Pure.

They are made here and not in manifests/ because each has another name and another command.
"""

from collections.abc import Sequence
from typing import Any

NAMESPACE = "newsreco"
IMAGE = "localhost/pennant-newsreco:dev"
MLFLOW = "http://mlflow.mlflow.svc.cluster.local:5000"

Object = dict[str, Any]


def job(name: str, command: Sequence[str]) -> Object:
    """A Job that runs once: a second try would register a second version."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": 300,
            "template": {"spec": _spec(command)},
        },
    }


def pod(name: str, command: Sequence[str], node: str = "") -> Object:
    """A pod that runs once, on a node of the caller's choice or the scheduler's."""
    metadata = {"name": name, "namespace": NAMESPACE}
    there = {"nodeSelector": {"kubernetes.io/hostname": node}} if node else {}
    spec = {**_spec(command), **there}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _spec(command: Sequence[str]) -> Object:
    return {
        "restartPolicy": "Never",
        "enableServiceLinks": False,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 2,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(command)],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }


def _container(command: Sequence[str]) -> Object:
    env = {
        "MLFLOW_TRACKING_URI": MLFLOW,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "GIT_PYTHON_REFRESH": "quiet",  # no git in the image, and MLflow need not say so
        "HOME": "/tmp",
    }
    return {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": list(command),
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
