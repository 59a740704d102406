"""Pods and Deployment status for a control plane without nodes: what a cluster would report."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from operator_process import Objects


class PretendedKubelet:
    """Makes what Deployments ask for true, when told to."""

    def __init__(self, objects: Objects, namespace: str) -> None:
        self._objects = objects
        self._namespace = namespace

    def work(self) -> None:
        """Every Deployment has exactly the pods it asks for, and they are ready."""
        for deployment in self._objects.list("Deployment", self._namespace):
            template = deployment["spec"]["template"]
            live = self._pods(template["metadata"]["labels"]["pennant.dev/slot"])
            wanted = deployment["spec"]["replicas"]
            revision = template["metadata"]["labels"]["pennant.dev/revision"]
            for pod in live:
                if pod["metadata"]["labels"]["pennant.dev/revision"] != revision or wanted == 0:
                    self._objects.delete("Pod", self._namespace, pod["metadata"]["name"])
            if wanted and len(self._pods_of(revision)) < wanted:
                for number in range(wanted):
                    self._make(f"{deployment['metadata']['name']}-{revision}-{number}", template)
            self._count(deployment, wanted)

    def hear(self) -> None:
        """The Deployment controller has seen every size; no pod was made for it yet."""
        for deployment in self._objects.list("Deployment", self._namespace):
            self._count(deployment, 0)

    def _pods(self, slot: str) -> list[dict[str, Any]]:
        return self._objects.list("Pod", self._namespace, f"pennant.dev/slot={slot}")

    def _pods_of(self, revision: str) -> list[dict[str, Any]]:
        return self._objects.list("Pod", self._namespace, f"pennant.dev/revision={revision}")

    def _make(self, name: str, template: dict[str, Any]) -> None:
        containers = [{"name": c["name"], "image": "x"} for c in template["spec"]["containers"]]
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**template["metadata"], "name": name, "namespace": self._namespace},
            "spec": {
                "containers": containers,
                "initContainers": [{"name": "fetch", "image": "x"}],
                "terminationGracePeriodSeconds": 0,
            },
        }
        self._objects.apply(pod)
        self._objects.patch_status("Pod", self._namespace, name, _ready())

    def _count(self, deployment: dict[str, Any], wanted: int) -> None:
        status = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": wanted,
            "readyReplicas": wanted,
            "updatedReplicas": wanted,
            "availableReplicas": wanted,
        }
        known = deployment.get("status", {})
        if any(known.get(name, 0) != value for name, value in status.items()):
            name = deployment["metadata"]["name"]
            self._objects.patch_status("Deployment", self._namespace, name, status)


def _ready() -> dict[str, Any]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    said = json.dumps({"digest": "ab" * 32, "version": "1", "bytes": 7})
    done = {"exitCode": 0, "message": said, "startedAt": now, "finishedAt": now}
    container = {"image": "x", "imageID": "", "restartCount": 0, "ready": True}
    return {
        "phase": "Running",
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": now}
            for kind in ("PodScheduled", "Initialized", "Ready")
        ],
        "initContainerStatuses": [{**container, "name": "fetch", "state": {"terminated": done}}],
        "containerStatuses": [{**container, "name": "serve", "state": {"running": {}}}],
    }
