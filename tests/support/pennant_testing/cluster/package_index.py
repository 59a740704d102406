"""A package index inside the cluster: a pod that gives out files, and leads nowhere else."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pennant_dev.demo import setup
from pennant_dev.demo.kube import Kube
from pennant_dev.demo.pods import MLFLOW, pod

NAME, PORT, ROOT = "package-index", 8080, "/tmp/index"
UNPACK = """
import base64, io, sys, tarfile
tarfile.open(fileobj=io.BytesIO(base64.b64decode(sys.stdin.read()))).extractall(sys.argv[1])
"""


def url(namespace: str) -> str:
    return f"http://{NAME}.{namespace}.svc.cluster.local:{PORT}/simple"


@contextmanager
def package_index(kube: Kube, namespace: str, archive: Path) -> Iterator[str]:
    """Serve what the archive holds until the block is left; the address of the index."""
    command = ["python", "-m", "http.server", str(PORT), "--directory", ROOT]
    serving = pod(NAME, ["sh", "-c", f"mkdir -p {ROOT}; exec {' '.join(command)}"])
    serving["metadata"] |= {"namespace": namespace, "labels": {"app": NAME}}
    kube.create(serving)
    service = {"selector": {"app": NAME}, "ports": [{"port": PORT}]}
    kube.create({"apiVersion": "v1", "kind": "Service", "spec": service,
                 "metadata": {"name": NAME, "namespace": namespace}})  # fmt: skip
    kube.pod_is("Running", NAME, namespace, seconds=120)
    where = ("exec", "--stdin", NAME, f"--namespace={namespace}", "--")
    content = base64.b64encode(archive.read_bytes()).decode()
    kube(*where, "python", "-c", UNPACK, ROOT, stdin=content)
    try:
        yield url(namespace)
    finally:
        kube("delete", "pod,service", NAME, f"--namespace={namespace}", "--wait=false")


@contextmanager
def registry(kube: Kube, name: str, **environments: object) -> Iterator[str]:
    """A ModelRegistry with these `environments`, or none; its name."""
    spec = {"url": MLFLOW, "pollInterval": "2s", "brake": {"share": "1"}}
    own = {"environments": environments} if environments else {}
    kube("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "pennant.dev/v1alpha1", "kind": "ModelRegistry",
        "metadata": {"name": name, "namespace": setup.OPERATOR_NAMESPACE},
        "spec": {**spec, **own},
    }))  # fmt: skip
    try:
        yield name
    finally:
        kube("delete", "modelregistry", name, f"-n={setup.OPERATOR_NAMESPACE}", "--wait=false")
