"""Moves that Pennant follows: with the webhook, by its poll alone, and back within the bake; and
with the packages that the bundle asks for, with a cache and without one.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.rollout import timeline
from bench.rollout.bench import MODEL, Bench, pause, settled
from bench.rollout.sightings import OWNER, REVISION
from pennant_dev.demo import setup
from pennant_dev.demo.kube import Kube
from pennant_dev.demo.pods import NAMESPACE
from pennant_dev.demo.traffic import Traffic
from pennant_dev.shell import wait_until
from pennant_testing.cluster.deployed import Deployed

POLL_SECONDS = 15.0
BAKE = "8s"
"""Longer than a move back takes, and short, for the next move waits for its end."""
RESOURCES = {"requests": {"cpu": "50m", "memory": "192Mi"}, "limits": {"memory": "768Mi"}}


class Followed:
    """A ModelDeployment of two pods, in the namespace of the toolbox."""

    def __init__(self, bench: Bench, name: str = "followed", **serving: Any) -> None:
        self._bench = bench
        self._name = name
        self._serving = {"resources": RESOURCES, **serving}
        self._deployed = Deployed(bench.kube, name, NAMESPACE, MODEL)
        self.version = 1

    @contextmanager
    def serving(self) -> Iterator[Traffic]:
        """It serves version 1, under traffic; deleted afterwards."""
        self._bench.point(self._name, 1)
        spec = {"serving": self._serving, "rollout": {"bake": BAKE}}
        self._deployed.apply(replicas=2, **spec)
        try:
            self._deployed.until(serving="1", summary="Serving", readyReplicas=2)
            with self._bench.traffic(self._name) as traffic:
                yield traffic
        finally:
            self._deployed.delete("--wait=false")

    def move(self, traffic: Traffic, kind: str, version: int, wait: float) -> timeline.Move:
        """To a version that never served, from rest, after at most `wait` seconds."""
        settled(self._is_settled, f"{self._name} does not come to rest")
        pause(wait)
        asked = self._bench.point(self._name, version)
        seen = self._bench.answered(traffic, asked, self.version, version)
        sightings = self._bench.sightings
        which = (self._name, str(version))
        wait_until(lambda: which in sightings.applied, "no Deployment of it was seen", 5)
        applied, revision = sightings.applied[which]
        moments = {
            **self._operator(kind, asked, version),
            "applied": applied,
            **timeline.of_all(self._pods(revision)),
            "switched": self._switched(asked, revision),
        }
        self.version = version
        return _as_move(kind, asked, moments, seen)

    def back(self, traffic: Traffic, version: int) -> timeline.Move:
        """To the version before, which is still warm."""
        asked = self._bench.point(self._name, version)
        seen = self._bench.answered(traffic, asked, self.version, version)
        revision = self._bench.sightings.applied[self._name, str(version)][1]
        moments = {
            **self._operator(timeline.BACK, asked, version),
            "switched": self._switched(asked, revision),
        }
        self.version = version
        return _as_move(timeline.BACK, asked, moments, seen)

    def _operator(self, kind: str, asked: float, version: int) -> dict[str, float]:
        after = [each for each in self._bench.sightings.heard if each.at >= asked]
        hooks = [each.at for each in after if each[1:] == (self._name, "")]
        known = [each.at for each in after if each[1:] == (self._name, str(version))]
        times_by_moment = {"hook": hooks if kind != timeline.POLL else [], "noticed": known}
        return {name: times[0] for name, times in times_by_moment.items() if times}

    def _pods(self, revision: str) -> list[timeline.Pod]:
        logs = _logs(self._bench.kube, self._name, revision)
        pods = [
            p for p in self._bench.sightings.pods.values() if p.labels.get(REVISION) == revision
        ]
        with_moments = []
        for pod in pods:
            logged = timeline.moments_of(
                *(logs.get((pod.name, each)) for each in ("fetch", "serve"))
            )
            seen = {"scheduled": pod.scheduled, "ready": pod.ready}
            known = {name: at for name, at in seen.items() if at is not None}
            with_moments.append(timeline.Pod({**logged.moments, **known}))
        return with_moments

    def _switched(self, asked: float, revision: str) -> float:
        switches = [
            at for at, to in self._bench.sightings.switches if at >= asked and to == revision
        ]
        return switches[0] if switches else asked

    def _is_settled(self) -> bool:
        return self._deployed.status["summary"] == "Serving" and len(self._live()) == 2

    def _live(self) -> list[Any]:
        labels = f"{OWNER}={self._name}"
        return self._bench.kube.list("pods", NAMESPACE, labels)


def follow_by(kube: Kube, *, webhook: bool, index: str = "") -> None:
    """The ModelRegistry's way to hear of moves, and where packages come from; the poll is the
    default one, as in production.
    """
    hook = None if not webhook else {
        "secret": {"name": "mlflow-webhook"},
        "register": True,
        "url": f"http://pennant-webhooks.{setup.OPERATOR_NAMESPACE}.svc.cluster.local:8082",
    }  # fmt: skip
    packages = {"indexURL": index} if index else None
    poll = f"{POLL_SECONDS:.0f}s"
    spec = {"spec": {"pollInterval": poll, "webhook": hook, "environments": packages}}
    where = ("modelregistry", "default", f"--namespace={setup.OPERATOR_NAMESPACE}")
    kube("patch", *where, "--type=merge", f"--patch={json.dumps(spec)}")


def _as_move(
    kind: str, asked: float, moments: dict[str, float], seen: dict[str, Any]
) -> timeline.Move:
    moments = {**moments, "answered": seen.pop("answered")}
    return timeline.Move(kind, asked, moments, **seen)


def _logs(kube: Kube, name: str, revision: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The JSON lines of a revision's pods, by pod and container."""
    selector = f"--selector={OWNER}={name},{REVISION}={revision}"
    options = ("--all-containers", "--prefix", "--tail=-1", f"--namespace={NAMESPACE}")
    entries = {}
    for line in kube("logs", selector, *options).splitlines():
        where, _, entry = line.partition(" ")
        if entry.startswith('{"event":'):
            _, pod, container = where.strip("[]").split("/")
            entries[pod, container] = json.loads(entry)
    return entries
