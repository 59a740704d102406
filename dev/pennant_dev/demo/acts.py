"""The five acts. Each says in one line what is about to happen, does it, and waits to see it.

MLflow is talked to inside the cluster only: training by Jobs, promoting from the toolbox pod.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from newsreco.loadgen_report import Move
from pennant_dev.demo import setup, watch
from pennant_dev.demo.kube import Kube, Object, poll
from pennant_dev.demo.pods import NAMESPACE, job
from pennant_dev.demo.story import Act, Story
from pennant_dev.demo.traffic import Traffic, by_version
from pennant_dev.shell import DevError, say, step

NAME = "news-recommender"
CALM = 5.0
"""Seconds of traffic shown before and after a change."""
PROMOTE = (
    "import sys, time; from newsreco.registry import promote; "
    "promote(int(sys.argv[1])); print(time.time())"
)
END_PROCESS = "import os, signal; os.kill(1, signal.SIGTERM)"


class Stage:
    """The cluster, the traffic, and the story so far."""

    def __init__(self, kube: Kube, traffic: Traffic) -> None:
        self.kube = kube
        self.traffic = traffic
        self.story = Story()
        self._alias = ""

    def play(self) -> Story:
        """All acts, in order; DevError at the first that does not happen as announced."""
        first, second = self._opening()
        self._follow(2, "v2 is promoted", second)
        self._refuse(3, "a broken v3 is promoted")
        self._endure(4, "MLflow is down, a pod restarts")
        self._follow(5, "the alias goes back to v1", first)
        self.traffic.stop()
        self.story.rows = self.traffic.rows
        return self.story

    def _opening(self) -> tuple[str, str]:
        announce(1, "train and register v1 and v2, promote v1, serve it")
        first, second = self._train("v1"), self._train("v2")
        self._promote(first)
        setup.install_newsreco(self.kube)
        with self._shown():
            self._until(lambda status: serves(status, first), "version 1 does not serve", 120)
        with step(f"  {self.traffic.describe()}"):
            self.traffic.start()
        begun = time.time()
        self._calm()
        self._record(1, "v1 serves", begun)
        return first, second

    def _follow(self, number: int, title: str, version: str) -> None:
        announce(number, f"{title}: the cluster follows, the previous version stays warm a while")
        begun = time.time()
        with self._shown():
            move = self._promote(version)
            self._until(lambda status: serves(status, version), f"v{version} does not serve", 90)
            self._until(settled, f"v{version} does not settle", 90)
        self._calm()
        self._record(number, title, begun, move)

    def _refuse(self, number: int, title: str) -> None:
        announce(number, f"{title}: it cannot load, so what serves goes on serving")
        begun = time.time()
        broken = self._train("v3", "--broken")
        with self._shown():
            move = self._promote(broken)
            rejected = self._until(lambda status: rejection(status, broken), "not rejected", 180)
        say(f"  rejected: {rejected['reason']}: {rejected['message']}")
        self._calm()
        self._record(number, title, begun, move)

    def _endure(self, number: int, title: str) -> None:
        announce(number, "MLflow is scaled to zero, a serving process ends: its pod comes back")
        begun = time.time()
        self._scale_mlflow(0)
        down = time.time()
        with step("  the pod serves again, from the bundle on its volume"):
            self._end_a_process()
        self._calm()
        self.story.outage = (down, time.time())
        with step("  MLflow is back"):
            self._scale_mlflow(1)
        self._record(number, title, begun)

    def _train(self, marker: str, *options: str) -> str:
        command = ["python", "-m", "newsreco.pipeline", "--no-promote", "--marker", marker]
        with step(f"  trained and registered {marker}"):
            self.kube.create(job(f"train-{marker}", [*command, *options]))
            log = self.kube.finished(f"train-{marker}", NAMESPACE, seconds=300)
        found = re.search(r"^registered version: (\d+)$", log, re.MULTILINE)
        if found is None:
            raise DevError(f"train-{marker} printed no `registered version: N`:\n{log[-2000:]}")
        self.story.markers[found[1]] = marker
        return found[1]

    def _promote(self, version: str) -> Move:
        said = self.kube.execute(NAMESPACE, setup.TOOLBOX, "python", "-c", PROMOTE, version).split()
        move = Move(float(said[-1]), self._alias, version)
        self._alias = version
        say(f"  promoted version {version} to alias 'production'")
        return move

    def _scale_mlflow(self, replicas: int) -> None:
        namespace = setup.MLFLOW_NAMESPACE
        self.kube("scale", "deployment/mlflow", f"-n={namespace}", f"--replicas={replicas}")
        if replicas:
            self.kube.rolled_out("mlflow", namespace, seconds=240)
        else:
            poll(lambda: not self.kube.list("pods", namespace), "MLflow does not end", 60)

    def _end_a_process(self) -> None:
        """Ask one serving process to end; the kubelet starts another in the same pod."""
        selector = f"pennant.dev/deployment={NAME}"
        pod = self.kube.list("pods", NAMESPACE, selector)[0]["metadata"]["name"]
        self.kube.execute(NAMESPACE, pod, "python", "-c", END_PROCESS, container="serve")

        def back() -> bool:
            found = self.kube.get("pod", pod, NAMESPACE) or {}
            states = found.get("status", {}).get("containerStatuses", [])
            return any(each["restartCount"] > 0 and each["ready"] for each in states)

        poll(back, f"pod {pod} does not come back", 90)

    def _until(self, done: Callable[[Object], Object | bool], what: str, seconds: float) -> Object:
        def look() -> Object | bool:
            found = self.kube.get("modeldeployment", NAME, NAMESPACE) or {}
            return done(found.get("status", {}))

        found = poll(look, what, seconds, every=0.3)
        return found if isinstance(found, dict) else {}

    def _calm(self) -> None:
        self.traffic.flows_until(time.time() + CALM)

    @contextmanager
    def _shown(self) -> Iterator[None]:
        before = len(self.traffic.rows)

        def answers() -> str:
            rows = self.traffic.rows[before:]
            return f"answers {by_version(rows)}" if rows else ""

        with watch.shown(self.kube, NAME, NAMESPACE, answers):
            yield

    def _record(self, number: int, title: str, begun: float, move: Move | None = None) -> None:
        self.story.acts.append(Act(number, title, begun, time.time(), move))


def announce(number: int, line: str) -> None:
    """One line that says what is about to happen."""
    say(f"\nAct {number}: {line}")


def serves(status: Object, version: str) -> bool:
    """Whether a version answers requests."""
    return bool(status.get("serving", {}).get("version") == version)


def settled(status: Object) -> bool:
    """Whether nothing is under way any more, the bake included."""
    return bool(status.get("summary") == "Serving")


def rejection(status: Object, version: str) -> Object:
    """The record of a version's rejection; empty when it was not rejected."""
    found = [each for each in status.get("rejected", []) if each["version"] == version]
    return found[0] if found else {}
