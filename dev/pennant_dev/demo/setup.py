"""Everything that has to stand before the first act; the e2e tests stand on it too.

Each `ensure_*` and `install_*` may be called again: what is there stays. `remove()` takes away
what the demo made and leaves the cluster.
"""

import base64
import secrets
from pathlib import Path

from pennant_dev import cluster, images
from pennant_dev.demo.kube import Kube
from pennant_dev.demo.pods import NAMESPACE, pod
from pennant_dev.local import Local
from pennant_dev.settings import REPOSITORY, Settings
from pennant_dev.shell import step

MANIFESTS = REPOSITORY / "manifests"
IMAGES = ("pennant-operator", "pennant-serving", "pennant-newsreco", "pennant-mlflow")
OPERATOR_NAMESPACE = "pennant-system"
MLFLOW_NAMESPACE = "mlflow"
TOOLBOX = "toolbox"


def ensure_cluster(settings: Settings | None = None) -> Kube:
    """A running cluster and the kubectl for it."""
    chosen = settings or Settings.from_env()
    provider = cluster.choose(chosen)
    provider.up()
    return connect(chosen)


def connect(settings: Settings | None = None) -> Kube:
    """kubectl for the cluster that is there, without starting anything."""
    chosen = settings or Settings.from_env()
    provider = cluster.choose(chosen)
    local = chosen.bin / "kubectl"
    kubectl: str | Path = local if isinstance(provider, Local) else "kubectl"
    return Kube(kubectl, provider.kubeconfig)


def build_images(settings: Settings | None = None) -> None:
    """Our four images, built from this checkout; needs no cluster."""
    images.build(IMAGES, settings or Settings.from_env())


def load_images(settings: Settings | None = None) -> None:
    """What `build_images` built, in every node."""
    cluster.load(IMAGES, settings)


def install_operator(kube: Kube) -> None:
    """Definitions, rights, operator; waits until it is ready."""
    there = kube.get("deployment", "pennant-operator", OPERATOR_NAMESPACE)
    with step("operator ready"):
        kube.apply(MANIFESTS / "demo" / "operator")
        kube("wait", "--for=condition=Established", "crd/modeldeployments.pennant.dev",
             "crd/modelregistries.pennant.dev", "crd/rolloutactions.pennant.dev",
             "--timeout=30s")  # fmt: skip
        if there:  # the same tag may hold a newer build
            kube("rollout", "restart", "deployment/pennant-operator", "-n", OPERATOR_NAMESPACE)
        kube.rolled_out("pennant-operator", OPERATOR_NAMESPACE, seconds=90)


def install_mlflow(kube: Kube) -> None:
    """An empty MLflow server in the cluster; waits until it is ready."""
    with step("MLflow ready"):
        kube("apply", "--server-side", "-f", str(MANIFESTS / "demo" / "mlflow" / "namespace.yaml"))
        key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        _ensure_secret(kube, MLFLOW_NAMESPACE, "webhook-encryption", {"key": key})
        kube.apply(MANIFESTS / "demo" / "mlflow")
        kube.rolled_out("mlflow", MLFLOW_NAMESPACE, seconds=240)


def install_registry(kube: Kube) -> None:
    """The ModelRegistry that names MLflow's address, and the secret of its webhooks."""
    signing = {"webhook-secret": secrets.token_hex(32)}
    _ensure_secret(kube, OPERATOR_NAMESPACE, "mlflow-webhook", signing)
    kube.apply(MANIFESTS / "demo" / "registry")


def install_newsreco(kube: Kube) -> None:
    """The news recommender's namespace and its ModelDeployment."""
    kube.apply(MANIFESTS / "demo" / "newsreco")


def install_toolbox(kube: Kube) -> None:
    """A pod to talk to MLflow from inside the cluster: promoting takes an exec, not a pod start."""
    kube("apply", "--server-side", "-f", str(MANIFESTS / "demo" / "newsreco" / "namespace.yaml"))
    if kube.get("pod", TOOLBOX, NAMESPACE) is None:
        kube.create(pod(TOOLBOX, ["sleep", "infinity"]))
    kube.pod_is("Running", TOOLBOX, NAMESPACE, seconds=60)


def remove(kube: Kube) -> None:
    """Delete everything above."""
    for namespace in (NAMESPACE, MLFLOW_NAMESPACE, OPERATOR_NAMESPACE):
        _empty(kube, namespace)
    both = (NAMESPACE, MLFLOW_NAMESPACE)
    kube("delete", "namespace", *both, "--ignore-not-found", "--wait=false")
    kube("delete", "-k", str(MANIFESTS / "demo" / "operator"), "--ignore-not-found",
         "--timeout=300s")  # fmt: skip
    kube("wait", "--for=delete", *(f"namespace/{each}" for each in both), "--timeout=300s")


def _ensure_secret(kube: Kube, namespace: str, name: str, data: dict[str, str]) -> None:
    """What was made once stays: MLflow keeps what it encrypted with it."""
    if kube.get("secret", name, namespace) is None:
        metadata = {"name": name, "namespace": namespace}
        kube.create(
            {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}
        )


def _empty(kube: Kube, namespace: str) -> None:
    """End a namespace's pods at once: its deletion would sleep through half their grace period."""
    where = (f"--namespace={namespace}", "--all")
    kube("delete", "modeldeployments", *where, check=False)  # the kind itself may be gone
    kube("delete", "deployments,jobs", *where)
    kube("delete", "pods", *where, "--grace-period=1", "--wait=false")
