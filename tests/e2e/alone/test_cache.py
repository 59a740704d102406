"""New pods while MLflow, with the artifacts that it gives out, and the package index are away: what
they need is in a claim that pods share (`spec.serving.storage.cache`).
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from newsreco.loadgen_report import failures
from pennant_dev.demo import setup
from pennant_dev.demo.kube import Kube, poll
from pennant_dev.demo.traffic import Traffic
from pennant_dev.settings import REPOSITORY
from pennant_testing.cluster.deployed import Deployed, drained, fetched, nodes_with_room
from pennant_testing.cluster.followed_readme import Reader
from pennant_testing.cluster.package_index import archive_of, package_index, registry, url

pytestmark = pytest.mark.e2e

MODEL = "digits"
LOCK = REPOSITORY / "requirements" / "bundle-middle.txt"
CLAIM = "model-cache"
SERVING = {
    "environment": "Bundle",
    "resources": {"requests": {"cpu": "10m", "memory": "256Mi"}},
    "storage": {"cache": {"claimName": CLAIM, "maxSize": "1900Mi"}},
}
ROLLOUT = {"bake": "5s", "deadlines": {"schedule": "60s", "fetch": "5m", "load": "5m"}}
BLANK = {"inputs": [[0.0] * 64]}
QUESTION = ("--path=/invocations", f"--body={json.dumps(BLANK)}", "--marker=predictions")
REQUESTS_PER_SECOND = 20
SECONDS = 2  # of traffic before and after
MLFLOW = ("deployment/mlflow", f"--namespace={setup.MLFLOW_NAMESPACE}")


@pytest.fixture(scope="module")
def claim(kube: Kube, room: str) -> None:
    """A volume that pods of all nodes mount; it goes with the namespace."""
    provisioners = kube("get", "storageclasses", "--output=jsonpath={.items[*].provisioner}")
    if "kubernetes.io/no-provisioner" not in provisioners:
        pytest.skip("no volume of this cluster is known to be mounted on many nodes at once")
    kube.create({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": CLAIM, "namespace": room},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "2Gi"}}},
    })  # fmt: skip


@contextmanager
def without_mlflow(kube: Kube) -> Iterator[None]:
    """No pod of it until the block is left."""
    kube("scale", *MLFLOW, "--replicas=0")
    try:
        pods = "app.kubernetes.io/name=mlflow"
        poll(lambda: not kube.list("pods", setup.MLFLOW_NAMESPACE, pods), "MLflow stays", 60)
        yield
    finally:
        kube("scale", *MLFLOW, "--replicas=1")
        kube.rolled_out("mlflow", setup.MLFLOW_NAMESPACE, seconds=300)


@contextmanager
def traffic(to: Deployed, node: str) -> Iterator[Traffic]:
    """Steady predictions, asked for from a node."""
    where, name = f"http://{to.name}.{to.namespace}.svc.cluster.local", f"load-{to.name}"
    flow = Traffic(to.kube, where, REQUESTS_PER_SECOND, name=name, node=node, options=QUESTION)
    try:
        flow.start()
        yield flow
    finally:
        flow.stop()


@contextmanager
def deleted_at_last(each: Deployed) -> Iterator[None]:
    """Whatever happens."""
    try:
        yield
    finally:
        each.delete("--wait=false")


def names(of: Deployed) -> set[str]:
    """Of its ready pods."""
    return {pod["metadata"]["name"] for pod in of.pods()}


def come_back(of: Deployed, count: int, *, gone: set[str]) -> None:
    """Wait until so many are ready, without these."""
    poll(lambda: len(names(of) - gone) == count, f"{of.name} has not {count} new pods", 300)


@pytest.mark.usefixtures("claim")
def test_new_pods_begin_and_serve_while_mlflow_its_artifacts_and_the_index_are_away(
    kube: Kube, room: str, tmp_path: Path
):
    archive, follows = archive_of(kube, tmp_path, LOCK), Deployed(kube, "cached", room, MODEL)
    spec = {"registry": "with-cache", "serving": SERVING, "rollout": ROLLOUT}
    with registry(kube, "with-cache", indexURL=url(room)), deleted_at_last(follows):
        with package_index(kube, room, archive):
            reader = Reader(kube, MODEL, room, url(room))
            reader.carry(tmp_path / "example.tar")
            first_version, next_version = reader.train()
            follows.point_alias_at(first_version)
            follows.apply(**spec, replicas=2)
            before = follows.until(serving=first_version, summary="Serving", readyReplicas=2)
        first, (leaves, *others) = names(follows), sorted(nodes_with_room(kube))
        lost = min(first)
        with without_mlflow(kube), traffic(follows, (others or [leaves])[0]) as flow:
            flow.flows_until(time.time() + SECONDS)
            follows.apply(**spec, replicas=3)
            come_back(follows, 1, gone=first)
            kube("delete", "pod", lost, f"--namespace={room}")
            come_back(follows, 3, gone={lost})
            if others:
                with drained(follows, leaves):
                    come_back(follows, 3, gone={lost})
                    assert {pod["spec"]["nodeName"] for pod in follows.pods()} <= {*others}
            reports = [fetched(pod) for pod in follows.pods()]
            assert len(follows.predictions(BLANK)) == 1
            flow.flows_until(time.time() + SECONDS)
        assert failures(flow.rows) == []
        assert len(names(follows) - first) >= 2
        assert follows.status["serving"] == before["serving"]
        for report in reports:
            assert report["digest"] == before["serving"]["digest"]
            assert report["environment"]["digest"] == before["serving"]["environment"]
        # All is back, and the next version comes as ever.
        with package_index(kube, room, archive):
            follows.point_alias_at(next_version)
            follows.until(serving=next_version, summary="Serving", readyReplicas=3)
            assert len(follows.predictions(BLANK)) == 1
