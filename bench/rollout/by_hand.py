"""What people do today: pods of `mlflow models serve`, and `kubectl rollout restart`."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.rollout import timeline
from bench.rollout.bench import MODEL, Bench, pause, settled
from pennant_dev.demo.kube import Kube
from pennant_dev.demo.pods import IMAGE, MLFLOW, NAMESPACE
from pennant_dev.demo.setup import MLFLOW_NAMESPACE
from pennant_dev.demo.traffic import Traffic

PORT = 8080
RESTART_SECONDS = 900.0
"""For both pods, one after the other, whatever each installs first."""
REQUESTS_PER_SECOND = 20
"""Requests a second: more of them would slow the start of the new pods on a small machine."""


class ByHand:
    """A Deployment and a Service as a tutorial has them, but for a probe as fast as ours."""

    def __init__(self, bench: Bench, index: str = "") -> None:
        """With the packages of the image, or of an index those that the bundle asks for."""
        self._bench = bench
        self._index = index
        self._name = "by-hand-bundle" if index else "by-hand"
        self._kind = timeline.BY_HAND_BUNDLE if index else timeline.BY_HAND
        self.version = 1

    @contextmanager
    def serving(self) -> Iterator[Traffic]:
        """It serves version 1, under traffic; deleted afterwards."""
        kube, name = self._bench.kube, self._name
        self._bench.point(name, 1)
        container = with_its_own(name, self._index) if self._index else with_the_images(name, kube)
        items = [deployment(name, container), service(name)]
        things = {"apiVersion": "v1", "kind": "List", "items": items}
        kube("apply", "-f", "-", stdin=json.dumps(things))
        try:
            kube.rolled_out(name, NAMESPACE, seconds=RESTART_SECONDS)
            with self._bench.traffic(name, REQUESTS_PER_SECOND) as traffic:
                yield traffic
        finally:
            where = f"--namespace={NAMESPACE}"
            kube("delete", f"deployment/{name}", f"service/{name}", where, "--wait=false")

    def move(self, traffic: Traffic, version: int) -> timeline.Move:
        """Alias and restart at once: the time until somebody notices is not counted."""
        name, kube = self._name, self._bench.kube
        settled(self._is_settled, f"{name} does not come to rest")
        pause(1)
        asked = self._bench.point(name, version)
        kube("rollout", "restart", f"deployment/{name}", f"--namespace={NAMESPACE}")
        restarted = time.time()
        kube.rolled_out(name, NAMESPACE, seconds=RESTART_SECONDS)
        seen = self._bench.answered(traffic, asked, self.version, version)
        self.version = version
        moments = {
            "restarted": restarted,
            **timeline.of_all(self._pods(asked), min),
            "answered": seen.pop("answered"),
        }
        return timeline.Move(self._kind, asked, moments, **seen)

    def _pods(self, since: float) -> list[timeline.Pod]:
        new = [
            pod
            for pod in self._bench.sightings.pods.values()
            if pod.labels.get("app") == self._name and pod.made >= since
        ]
        pods = []
        for pod in new:
            seen = {"scheduled": pod.scheduled, "started": pod.started, "ready": pod.ready}
            pods.append(timeline.Pod({k: v for k, v in seen.items() if v is not None}))
        return pods

    def _is_settled(self) -> bool:
        return len(self._bench.kube.list("pods", NAMESPACE, f"app={self._name}")) == 2


def with_the_images(alias: str, kube: Kube) -> dict[str, Any]:
    """With the packages of the image that the MLflow server runs on: it holds MLflow and
    scikit-learn.
    """
    server = kube.get("deployment", "mlflow", MLFLOW_NAMESPACE) or {}
    image = str(server["spec"]["template"]["spec"]["containers"][0]["image"])
    return container(alias, image, "local")


def with_its_own(alias: str, index: str) -> dict[str, Any]:
    """With an environment that MLflow makes of the bundle's requirements, by uv."""
    uv = {"UV_DEFAULT_INDEX": index, "UV_PYTHON_DOWNLOADS": "never"}
    return container(alias, IMAGE, "uv", **uv)


def container(alias: str, image: str, env_manager: str, **more: str) -> dict[str, Any]:
    """It loads whatever the alias points at when it starts."""
    options = (f"--env-manager={env_manager}", "--host=0.0.0.0", f"--port={PORT}")
    env = {"MLFLOW_TRACKING_URI": MLFLOW, "MLFLOW_DISABLE_TELEMETRY": "true", "HOME": "/tmp"} | more
    return {
        "name": "serve",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["mlflow", "models", "serve", f"--model-uri=models:/{MODEL}@{alias}", *options],
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/ping", "port": PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "50m", "memory": "192Mi"}, "limits": {"memory": "2Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def deployment(name: str, container: dict[str, Any]) -> dict[str, Any]:
    """Two pods of it."""
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
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": name}},
        "spec": {
            "replicas": 2,
            # While nothing answers for minutes, nobody would call the rollout failed.
            "progressDeadlineSeconds": int(RESTART_SECONDS),
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
        },
    }


def service(name: str) -> dict[str, Any]:
    """In front of them."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": PORT}]},
    }
