"""What people do today: pods of `mlflow models serve`, and `kubectl rollout restart`."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.rollout import timeline
from bench.rollout.bench import MODEL, Bench, pause, settled
from pennant_dev.demo.kube import Kube
from pennant_dev.demo.pods import MLFLOW, NAMESPACE
from pennant_dev.demo.setup import MLFLOW_NAMESPACE
from pennant_dev.demo.traffic import Traffic

NAME = "by-hand"
PORT = 8080
REQUESTS_PER_SECOND = 20
"""Requests a second: more of them would slow the start of the new pods on a small machine."""
LABELS = {"app": NAME}


class ByHand:
    """A Deployment and a Service as a tutorial has them, but for a probe as fast as ours."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.version = 1

    @contextmanager
    def serving(self) -> Iterator[Traffic]:
        """It serves version 1, under traffic; deleted afterwards."""
        kube = self._bench.kube
        self._bench.point(NAME, 1)
        things = {"apiVersion": "v1", "kind": "List", "items": [deployment(image(kube)), service()]}
        kube("apply", "-f", "-", stdin=json.dumps(things))
        try:
            kube.rolled_out(NAME, NAMESPACE, seconds=180)
            with self._bench.traffic(NAME, REQUESTS_PER_SECOND) as traffic:
                yield traffic
        finally:
            where = f"--namespace={NAMESPACE}"
            kube("delete", f"deployment/{NAME}", f"service/{NAME}", where, "--wait=false")

    def move(self, traffic: Traffic, version: int) -> timeline.Move:
        """Alias and restart at once: the time until somebody notices is not counted."""
        settled(self._is_settled, f"{NAME} does not come to rest")
        pause(1)
        asked = self._bench.point(NAME, version)
        self._bench.kube("rollout", "restart", f"deployment/{NAME}", f"--namespace={NAMESPACE}")
        restarted = time.time()
        self._bench.kube.rolled_out(NAME, NAMESPACE, seconds=120)
        seen = self._bench.answered(traffic, asked, self.version, version)
        self.version = version
        moments = {
            "restarted": restarted,
            **timeline.of_all(self._pods(asked), min),
            "answered": seen.pop("answered"),
        }
        return timeline.Move(timeline.BY_HAND, asked, moments, **seen)

    def _pods(self, since: float) -> list[timeline.Pod]:
        new = [
            pod
            for pod in self._bench.sightings.pods.values()
            if pod.labels.get("app") == NAME and pod.made >= since
        ]
        pods = []
        for pod in new:
            seen = {"scheduled": pod.scheduled, "started": pod.started, "ready": pod.ready}
            pods.append(timeline.Pod({k: v for k, v in seen.items() if v is not None}))
        return pods

    def _is_settled(self) -> bool:
        return len(self._bench.kube.list("pods", NAMESPACE, f"app={NAME}")) == 2


def image(kube: Kube) -> str:
    """The one that the MLflow server runs on: it holds MLflow and scikit-learn."""
    server = kube.get("deployment", "mlflow", MLFLOW_NAMESPACE) or {}
    return str(server["spec"]["template"]["spec"]["containers"][0]["image"])


def deployment(image: str) -> dict[str, Any]:
    """Two pods that load whatever the alias points at when they start."""
    options = ("--env-manager=local", "--host=0.0.0.0", f"--port={PORT}")
    env = {"MLFLOW_TRACKING_URI": MLFLOW, "MLFLOW_DISABLE_TELEMETRY": "true", "HOME": "/tmp"}
    container = {
        "name": "serve",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["mlflow", "models", "serve", f"--model-uri=models:/{MODEL}@{NAME}", *options],
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/ping", "port": PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "50m", "memory": "192Mi"}, "limits": {"memory": "2Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    pod = {
        "enableServiceLinks": False,
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": LABELS},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": pod},
        },
    }


def service() -> dict[str, Any]:
    """In front of them."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {"selector": LABELS, "ports": [{"port": 80, "targetPort": PORT}]},
    }
