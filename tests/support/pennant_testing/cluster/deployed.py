"""A ModelDeployment of a test's own: other name, other alias, same registered model."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pennant_dev.demo import setup
from pennant_dev.demo.kube import Kube, Object, poll
from pennant_dev.demo.pods import IMAGE, NAMESPACE
from pennant_dev.demo.stage import ASK
from pennant_dev.demo.traffic import Traffic
from pennant_dev.shell import DevError

MODEL = "recommender"  # of the tests; the demo has one of its own
OURS = {"pennant.dev/e2e": "yes"}  # the label of what outlives a run that was killed
ROOM = "pennant.dev/test-room"  # a node label that no node has
WAIT_SECONDS = 480.0  # seconds, on a machine where thirty pods start at once
# Without MLflow's client, which takes longer to import than a rollout may take.
POINT = """
import json, os, sys, time, urllib.request
url = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/registered-models/alias"
headers = {"Content-Type": "application/json"}
model, pause, *moves = sys.argv[1:]
for move in moves:
    alias, version = move.split("=")
    body = json.dumps({"name": model, "alias": alias, "version": version}).encode()
    urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60).close()
    time.sleep(float(pause))
"""
INVOKE = """
import sys, urllib.request
headers = {"Content-Type": "application/json"}
request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), headers)
print(urllib.request.urlopen(request, timeout=60).read().decode())
"""
TAG = (
    "import sys; from mlflow import MlflowClient; "
    "MlflowClient().set_model_version_tag(*sys.argv[1:])"
)
REMOVE_ALIAS = (
    "import sys; from mlflow import MlflowClient; "
    "MlflowClient().delete_registered_model_alias(sys.argv[1], sys.argv[2])"
)


class Deployed:
    """One ModelDeployment that follows an alias of its own name."""

    def __init__(self, kube: Kube, name: str, namespace: str, model: str = MODEL) -> None:
        self.kube = kube
        self.name = name
        self.namespace = namespace
        self.model = model

    def manifest(self, **spec: Any) -> Object:
        body = {
            "model": {"name": self.model, "alias": self.name},
            "replicas": 1,
            "serving": {"image": IMAGE, "adapter": "newsreco.serving:NewsrecoAdapter"},
            "rollout": {"bake": "5s"},
            **spec,
        }
        return {
            "apiVersion": "pennant.dev/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": body,
        }

    def apply(self, **spec: Any) -> None:
        self.kube("apply", "-f", "-", stdin=json.dumps(self.manifest(**spec)))

    def point_alias_at(self, version: int | str) -> None:
        words = (self.model, "0", f"{self.name}={version}")
        self.kube.execute(NAMESPACE, setup.TOOLBOX, "python", "-c", POINT, *words)

    def tag(self, version: int | str, key: str, value: str) -> None:
        words = (self.model, str(version), key, value)
        self.kube.execute(NAMESPACE, setup.TOOLBOX, "python", "-c", TAG, *words)

    def remove_alias(self) -> None:
        words = (self.model, self.name)
        self.kube.execute(NAMESPACE, setup.TOOLBOX, "python", "-c", REMOVE_ALIAS, *words)

    def delete(self, *options: str) -> None:
        where = f"-n={self.namespace}"
        self.kube("delete", "mldep", self.name, where, "--ignore-not-found", *options)

    @property
    def object(self) -> Object:
        return self.kube.get("modeldeployment", self.name, self.namespace) or {}

    @property
    def status(self) -> Object:
        status: Object = self.object.get("status", {})
        return status

    def children(self) -> list[Object]:
        kinds = "deployments,services,configmaps,controllerrevisions,poddisruptionbudgets,pods"
        return self.kube.list(kinds, self.namespace, f"pennant.dev/deployment={self.name}")

    def pods(self) -> list[Object]:
        """The pods that are ready and not on their way out."""
        pods = self.kube.list("pods", self.namespace, f"pennant.dev/deployment={self.name}")
        return [
            pod
            for pod in pods
            if "deletionTimestamp" not in pod["metadata"]
            and ("Ready", "True")
            in {(c["type"], c["status"]) for c in pod["status"].get("conditions", ())}
        ]

    def answers(self) -> bool:
        url = f"http://{self.name}.{self.namespace}/recommend/U106"
        try:
            self.kube.execute(NAMESPACE, setup.TOOLBOX, "python", "-c", ASK, url)
        except DevError:  # the Service may need a moment to reach every node
            return False
        return True

    def predictions(self, body: Object) -> Any:
        """What it answers on /invocations; DevError when it does not."""
        url = f"http://{self.name}.{self.namespace}/invocations"
        words = ("python", "-c", INVOKE, url, json.dumps(body))
        return json.loads(self.kube.execute(NAMESPACE, setup.TOOLBOX, *words))["predictions"]

    def until(self, seconds: float = WAIT_SECONDS, **wanted: Any) -> Object:
        """The status in which these fields were so; `serving` and `desired` mean their version."""
        last: Object = {}

        def look() -> bool:
            nonlocal last
            last = status = self.status
            for field in ("serving", "desired"):
                if field in wanted:
                    status = {**status, field: status.get(field, {}).get("version")}
            return wanted.items() <= status.items()

        try:
            poll(look, f"{self.name} is not {wanted}", seconds, interval=0.1)
        except DevError as error:
            raise DevError(f"{error}; its status is {last}") from error
        return last

    def condition(self, kind: str) -> tuple[str, str]:
        return condition_of(self.status, kind)[:2]


def condition_of(status: Object, kind: str) -> tuple[str, str, str]:
    """Status, reason and message of a condition."""
    condition = next(c for c in status["conditions"] if c["type"] == kind)
    return condition["status"], condition["reason"], condition["message"]


def fetched(pod: Object) -> Object:
    """What its container `fetch` reported."""
    (status,) = pod["status"]["initContainerStatuses"]
    message: Object = json.loads(status["state"]["terminated"]["message"])
    return message


def nodes_with_room(kube: Kube) -> set[str]:
    """Nodes that take pods."""
    return {
        node["metadata"]["name"]
        for node in kube.list("nodes", "default")
        if not node["spec"].get("unschedulable")
        and all(taint["effect"] != "NoSchedule" for taint in node["spec"].get("taints", ()))
    }


@contextmanager
def drained(of: Deployed, node: str) -> Iterator[None]:
    """Its pods leave the node, which takes none until the block is left."""
    marks = [f"{name}={value}" for name, value in OURS.items()]
    try:
        of.kube("label", "node", node, *marks)
        selector = f"--pod-selector=pennant.dev/deployment={of.name}"
        of.kube("drain", node, selector, "--delete-emptydir-data", "--timeout=300s")
        yield
    finally:
        of.kube("uncordon", node)
        of.kube("label", "node", node, *(f"{name}-" for name in OURS))


def name_after(request: pytest.FixtureRequest) -> str:
    """A name that says which test made the object, and that no other test uses."""
    return str(request.node.name).removeprefix("test_").replace("_", "-")[:40].strip("-")


@contextmanager
def serving(kube: Kube, name: str, namespace: str, **spec: Any) -> Iterator[Deployed]:
    """A ModelDeployment that serves version 1, deleted afterwards."""
    deployed = Deployed(kube, name, namespace)
    deployed.point_alias_at(1)
    deployed.apply(**spec)
    try:
        deployed.until(serving="1", summary="Serving", readyReplicas=spec.get("replicas", 1))
        yield deployed
    finally:
        deployed.delete("--wait=false")


@contextmanager
def traffic(to: Deployed, node: str = "") -> Iterator[Traffic]:
    """Steady traffic on it from a pod of its own, on a chosen node."""
    poll(to.answers, f"{to.name} does not answer", 30)
    url = f"http://{to.name}.{to.namespace}.svc.cluster.local"
    flow = Traffic(to.kube, url, name=f"load-{to.name}", node=node)
    try:
        flow.start()
        yield flow
    finally:
        flow.stop()
