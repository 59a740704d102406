"""Pods and Deployment status for a control plane without nodes: what a cluster would report."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from pennant_testing.control_plane.objects import Objects

DIGEST = "ab" * 32
HERE = "127.0.0.1"
Status = dict[str, Any]
Fate = Status | tuple[Status, ...]


class PretendedKubelet:
    """Makes what Deployments ask for true, when told to.

    `fates` says by model and version what becomes of pods, of all or of each in turn; they become
    ready where it says nothing.
    `ports` says where a real server answers for them, on this machine; nobody does where it says
    nothing.
    """

    def __init__(self, objects: Objects, namespace: str) -> None:
        self.fates: dict[tuple[str, str], Fate] = {}
        self.ports: dict[tuple[str, str], int] = {}
        self._objects = objects
        self._namespace = namespace
        self._patched: dict[str, Status] = {}  # pod name -> what its status was made

    def work(self) -> None:
        """Every Deployment has exactly the pods it asks for, and they have met their fate."""
        pods: dict[str, set[str]] = defaultdict(set)
        for pod in self._objects.list("Pod", self._namespace):
            labels = pod["metadata"]["labels"]
            pods[f"{labels['pennant.dev/deployment']}-{labels['pennant.dev/slot']}"].add(
                pod["metadata"]["name"]
            )
        for deployment in self._objects.list("Deployment", self._namespace):
            self._serve(deployment, pods.pop(deployment["metadata"]["name"], set()))
        for orphans in pods.values():
            self._end(orphans)

    def hear(self) -> None:
        """The Deployment controller has seen every size; no pod was made for it yet."""
        for deployment in self._objects.list("Deployment", self._namespace):
            self._count(deployment, 0, 0)

    def _serve(self, deployment: dict[str, Any], live: set[str]) -> None:
        template, wanted = deployment["spec"]["template"], deployment["spec"]["replicas"]
        slot, metadata = deployment["metadata"]["name"], template["metadata"]
        revision = metadata["labels"]["pennant.dev/revision"]
        names = {f"{slot}-{revision}-{number}" for number in range(wanted)}
        self._end(live - names)
        annotations = metadata.get("annotations", {})
        of = annotations.get("pennant.dev/model"), annotations.get("pennant.dev/model-version")
        for name in sorted(names - live):
            self._make(name, template, self.ports.get(of))
        given = self.fates.get(of, READY)
        fates = given if isinstance(given, tuple) else (given,)
        for number, name in enumerate(sorted(names)):
            fate = fates[number % len(fates)]
            if self._patched.get(name) is not fate:
                place = {"podIP": HERE, "podIPs": [{"ip": HERE}]} if of in self.ports else {}
                self._objects.patch_status("Pod", self._namespace, name, fate | place)
                self._patched[name] = fate
        self._count(deployment, wanted, wanted if all(map(is_ready, fates)) else 0)

    def _end(self, names: set[str]) -> None:
        for name in names:
            self._objects.delete("Pod", self._namespace, name)
            self._patched.pop(name, None)

    def _make(self, name: str, template: dict[str, Any], port: int | None) -> None:
        ports = [{"name": "http", "containerPort": port}] if port else []
        containers = [
            {"name": c["name"], "image": "x", "ports": ports}
            for c in template["spec"]["containers"]
        ]
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
        self._patched.pop(name, None)

    def _count(self, deployment: dict[str, Any], wanted: int, ready: int) -> None:
        status = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": wanted,
            "readyReplicas": ready,
            "updatedReplicas": wanted,
            "availableReplicas": ready,
        }
        known = deployment.get("status", {})
        if any(known.get(name, 0) != value for name, value in status.items()):
            name = deployment["metadata"]["name"]
            self._objects.patch_status("Deployment", self._namespace, name, status)


def is_ready(status: Status) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status["conditions"])


def ready(digest: str = DIGEST, environment: dict[str, Any] | None = None) -> Status:
    """Both containers did what they should, and `fetch` reports this digest, and packages."""
    report: dict[str, Any] = {"digest": digest, "version": "1"}
    if environment is not None:
        report["environment"] = environment
    fetched = {"exitCode": 0, "message": json.dumps(report)}
    return _status("Ready", fetch={"terminated": _ended(fetched)}, serve={"running": {}})


def coming() -> Status:
    """The bundle is being fetched, and that takes its time."""
    return _status("PodScheduled", fetch={"running": {}}, serve={"waiting": {}})


def cannot_fetch(reason: str, message: str = "it says why") -> Status:
    """`fetch` failed twice and is about to try again."""
    return _status("PodScheduled", fetch=_failed(reason, message), serve={"waiting": {}})


def cannot_load(reason: str = "LoadFailed", message: str = "it says why") -> Status:
    """`serve` failed twice and is about to try again."""
    fetched = {"exitCode": 0, "message": json.dumps({"digest": DIGEST, "version": "1"})}
    done = {"terminated": _ended(fetched)}
    return _status("Initialized", fetch=done, serve=_failed(reason, message))


PHASES = ("PodScheduled", "Initialized", "Ready")


def _status(reached: str, **states: dict[str, Any]) -> Status:
    now, passed = _now(), PHASES.index(reached)
    reports = {
        name: {
            "name": name,
            "image": "x",
            "imageID": "",
            "restartCount": 2 if "waiting" in state and "lastState" in state else 0,
            "ready": "running" in state and reached == "Ready",
            "state": {kind: value for kind, value in state.items() if kind != "lastState"},
            "lastState": state.get("lastState", {}),
        }
        for name, state in states.items()
    }
    return {
        "phase": "Running" if reached == "Ready" else "Pending",
        "conditions": [
            {"type": kind, "status": str(number <= passed), "lastTransitionTime": now}
            for number, kind in enumerate(PHASES)
        ],
        "initContainerStatuses": [reports["fetch"]],
        "containerStatuses": [reports["serve"]],
    }


def _failed(reason: str, message: str) -> dict[str, Any]:
    ended = {"exitCode": 1, "message": json.dumps({"reason": reason, "message": message})}
    waiting = {"reason": "CrashLoopBackOff"}
    return {"waiting": waiting, "lastState": {"terminated": _ended(ended)}}


def _ended(how: dict[str, Any]) -> dict[str, Any]:
    return {**how, "startedAt": _now(), "finishedAt": _now()}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


READY = ready()
