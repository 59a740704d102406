"""What the acts are made of: train, promote, tag, wait for a status, end a process, stop MLflow.

MLflow is talked to inside the cluster only: training by Jobs, promoting from the toolbox pod.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from newsreco.loadgen_report import Move
from pennant_dev.demo import setup, watch
from pennant_dev.demo.heard import SELECTOR, Heard, heard
from pennant_dev.demo.kube import Kube, Object, poll
from pennant_dev.demo.pods import NAMESPACE, job
from pennant_dev.demo.story import Act, Story
from pennant_dev.demo.traffic import Traffic, by_version
from pennant_dev.shell import DevError, eprint, step

NAME = "news-recommender"
ALIAS = "production"
CHALLENGER, CHALLENGER_ALIAS = "challenger", "challenger"
URL = f"http://{NAME}.{NAMESPACE}.svc.cluster.local"
READY = '{.status.conditions[?(@.type=="Ready")].status}=True'
"""JSONPath: requests are answered, or a registry answers."""
CALM_SECONDS = 5.0
"""Seconds of traffic shown before and after a change."""
PROMOTE = (
    "import sys, time; from newsreco.registry import promote; at = time.time(); "
    "promote(int(sys.argv[1])); print(at)"
)
POINT = (
    "import sys; from mlflow import MlflowClient; "
    "MlflowClient().set_registered_model_alias(*sys.argv[1].split())"
)
TAG = (
    "import sys, time; from mlflow import MlflowClient; at = time.time(); "
    "MlflowClient().set_model_version_tag(*sys.argv[1].split()); print(at)"
)
ASK = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=5).read().decode())"
# It ends at once itself, before the container does: else it would be said to have been killed.
END_PROCESS = "import os, signal; os.kill(1, signal.SIGTERM); os._exit(0)"


class Stage:
    """The cluster, the traffic, and the story so far."""

    def __init__(self, kube: Kube, traffic: Traffic) -> None:
        self.kube = kube
        self.traffic = traffic
        self.story = Story()
        self._alias = ""

    def train(self, marker: str, *options: str) -> str:
        """Train and register a model by a Job; its version."""
        command = ["python", "-m", "newsreco.pipeline", "--no-promote", "--marker", marker]
        with step(f"  trained and registered {marker}"):
            self.kube.create(job(f"train-{marker}", [*command, *options]))
            log = self.kube.finished(f"train-{marker}", NAMESPACE, seconds=300)
        match = re.search(r"^registered version: (\d+)$", log, re.MULTILINE)
        if match is None:
            raise DevError(f"train-{marker} printed no `registered version: N`:\n{log[-2000:]}")
        self.story.markers[match[1]] = marker
        return match[1]

    def promote(self, version: str) -> Move:
        """Point the alias at a version; the time is taken there, just before."""
        output = self._toolbox(PROMOTE, version).split()
        move = Move(float(output[-1]), self._alias, version)
        self._alias = version
        eprint(f"  promoted version {version} to alias 'production'")
        return move

    def tag(self, version: str, key: str, value: str) -> float:
        """Tag a version, as a person does in MLflow; when (Unix seconds), taken just before."""
        output = self._toolbox(TAG, f"{NAME} {version} {key} {value}").split()
        eprint(f"  tagged version {version}: {key}={value}")
        return float(output[-1])

    def point(self, alias: str, version: str) -> None:
        """Point another alias at a version, as a person does in MLflow."""
        self._toolbox(POINT, f"{NAME} {alias} {version}")
        eprint(f"  alias {alias!r} is version {version}")

    def change(self, spec: Object) -> None:
        """Merge this into the ModelDeployment's spec."""
        patch = json.dumps({"spec": spec})
        self.kube("patch", "mldep", NAME, f"-n={NAMESPACE}", "--type=merge", f"-p={patch}")

    def ask(self, seconds: float) -> str:
        """The Service's answer to one request, as soon as there is one."""

        def answer() -> str:
            try:
                return self._toolbox(ASK, f"{URL}/recommend/U106?k=3").strip()
            except DevError:  # the Service may need a moment to reach every node
                return ""

        return poll(answer, f"{URL} does not answer", seconds)

    def until(self, jsonpath: str, seconds: float) -> None:
        """Wait until the ModelDeployment's status has a path, or a value at a path."""
        self.kube.wait_for(jsonpath, "modeldeployment", NAME, NAMESPACE, seconds)

    def status(self) -> Object:
        """The ModelDeployment's status."""
        deployment = self.kube.get("modeldeployment", NAME, NAMESPACE) or {}
        status: Object = deployment.get("status", {})
        return status

    def seen(self, look: Callable[[Object], Object | None], seconds: float) -> Object:
        """What there is to see in the status, once it is there."""
        return poll(lambda: look(self.status()), "the status does not say it", seconds) or {}

    def scale_mlflow(self, replicas: int) -> None:
        """Stop or start MLflow and wait until that is so."""
        namespace = setup.MLFLOW_NAMESPACE
        self.kube("scale", "deployment/mlflow", f"-n={namespace}", f"--replicas={replicas}")
        if replicas:
            self.kube.rolled_out("mlflow", namespace, seconds=240)
        else:
            poll(lambda: not self.kube.list("pods", namespace), "MLflow does not end", 60)

    def registry_answers(self) -> None:
        """Wait until the operator says so: after an outage it asks less often for a while."""
        self.kube.wait_for(READY, "modelregistry", "default", setup.OPERATOR_NAMESPACE, seconds=60)

    def end_a_process(self) -> None:
        """Ask one serving process to end; the kubelet starts another in the same pod."""
        serving = self.kube.list("pods", NAMESPACE, self.status()["selector"])
        pod = serving[0]["metadata"]["name"]
        self.kube.execute(NAMESPACE, pod, "python", "-c", END_PROCESS, container="serve")

        restarted = "{.status.containerStatuses[?(@.restartCount>0)].ready}=true"
        self.kube.wait_for(restarted, "pod", pod, NAMESPACE, seconds=90)

    def heard(self) -> list[Heard]:
        """What the operator's log says of the alias."""
        where = f"--namespace={setup.OPERATOR_NAMESPACE}"
        log = self.kube("logs", SELECTOR, "--timestamps", "--tail=-1", where)
        return sorted(each for each in heard(log.splitlines()) if each.alias == ALIAS)

    def calm(self) -> None:
        """Let the traffic flow for a while."""
        self.traffic.flows_until(time.time() + CALM_SECONDS)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Print the ModelDeployment's line, and the answers so far, at each change."""
        before = len(self.traffic.rows)

        def answers() -> str:
            rows = self.traffic.rows[before:]
            return f"answers {by_version(rows)}" if rows else ""

        with watch.shown(self.kube, NAME, NAMESPACE, answers):
            yield

    def record(self, number: int, title: str, begun: float, move: Move | None = None) -> None:
        """An act has ended."""
        self.story.acts.append(Act(number, title, begun, time.time(), move))

    def _toolbox(self, code: str, argument: str) -> str:
        return self.kube.execute(NAMESPACE, setup.TOOLBOX, "python", "-c", code, argument)
