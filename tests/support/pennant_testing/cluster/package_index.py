"""A package index inside the cluster: a pod that gives out files, and leads nowhere else."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pennant_dev.demo import setup
from pennant_dev.demo.kube import Kube
from pennant_dev.demo.pods import MLFLOW, NAMESPACE, pod
from pennant_dev.environments import wheels
from pennant_testing.cluster.pod_scripts import source
from pennant_testing.packages.static_index import lay_out, packed

NAME, PORT, ROOT = "package-index", 8080, "/tmp/index"
UNPACK = """
import base64, sys, tarfile, tempfile
with tempfile.TemporaryFile() as archive:
    base64.decode(sys.stdin.buffer, archive)
    archive.seek(0)
    tarfile.open(fileobj=archive).extractall(sys.argv[1])
"""


def url(namespace: str) -> str:
    return f"http://{NAME}.{namespace}.svc.cluster.local:{PORT}/simple"


def archive_of(kube: Kube, folder: Path, *locks: Path) -> Path:
    """What an index of the wheels of some locks gives out, for the Python of the toolbox."""
    minor = "import sys; print('%d.%d' % sys.version_info[:2])"
    python = kube.execute(NAMESPACE, setup.TOOLBOX, "python", "-c", minor).strip()
    lay_out([wheels(lock, python) for lock in locks], folder / "root")
    return packed(folder / "root", folder / "index.tar")


def registered(kube: Kube, model: str, python: str) -> dict[str, str]:
    """Versions of a model that bring their environment, or cannot, by what they are; a Python of
    the toolbox has the libraries."""
    words = ("exec", "--stdin", setup.TOOLBOX, f"--namespace={NAMESPACE}", "--")
    script = source("register_environments")
    output = kube(*words, "python", "-", model, python, stdin=script)
    versions: dict[str, str] = json.loads(output.strip().splitlines()[-1])
    return versions


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
    content = base64.encodebytes(archive.read_bytes()).decode()
    kube(*where, "python", "-c", UNPACK, ROOT, stdin=content)
    try:
        yield url(namespace)
    finally:
        kube("delete", "pod,service", NAME, f"--namespace={namespace}")


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
