"""The cluster's own operator: which of its pods leads, and its rest."""

from collections.abc import Iterator
from contextlib import contextmanager

from pennant_dev.demo import setup
from pennant_dev.demo.kube import Kube

NAME, NAMESPACE = "pennant-operator", setup.OPERATOR_NAMESPACE


def leader(kube: Kube) -> str:
    """The identity that leads, by what the Lease says; empty when nobody does."""
    lease = kube.get("lease", NAME, NAMESPACE) or {}
    return str(lease.get("spec", {}).get("holderIdentity") or "")


def pod_of(identity: str) -> str:
    return identity.rpartition("_")[0]


@contextmanager
def resting(kube: Kube) -> Iterator[None]:
    """It has no pod."""
    where = f"--namespace={NAMESPACE}"
    kube("scale", f"deployment/{NAME}", where, "--replicas=0")
    label = f"--selector=app.kubernetes.io/name={NAME}"
    kube("wait", "--for=delete", "pod", label, where, "--timeout=60s")
    try:
        yield
    finally:
        kube("scale", f"deployment/{NAME}", where, "--replicas=2")
        kube.rolled_out(NAME, NAMESPACE, seconds=120)
