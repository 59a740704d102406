"""Where packages come from in a run: an index in the cluster, and a claim that pods share."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pennant_dev.demo.kube import Kube
from pennant_dev.demo.pods import NAMESPACE
from pennant_dev.settings import REPOSITORY
from pennant_testing.cluster.package_index import archive_of, package_index

# What the model was saved with and the server needs; what MLflow's own environments need.
LOCKS = (
    REPOSITORY / "requirements" / "serving.txt",
    REPOSITORY / "requirements" / "mlflow.txt",
    Path(__file__).with_name("build-tools.txt"),
)
CLAIM = "bench-rollout-cache"


@contextmanager
def index(kube: Kube) -> Iterator[str]:
    """Its address, until the block is left."""
    with tempfile.TemporaryDirectory() as folder:
        archive = archive_of(kube, Path(folder), *LOCKS)
        with package_index(kube, NAMESPACE, archive) as url:
            yield url


@contextmanager
def claim(kube: Kube) -> Iterator[str]:
    """The name of an empty one that pods of all nodes mount, until the block is left."""
    kube.create({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": CLAIM, "namespace": NAMESPACE},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "2Gi"}}},
    })  # fmt: skip
    try:
        yield CLAIM
    finally:
        kube("delete", "pvc", CLAIM, f"--namespace={NAMESPACE}", "--wait=false")
