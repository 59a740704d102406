"""Bundles copied from a PersistentVolumeClaim: MLflow's own volume, claimed in another namespace.

The server is asked about versions and aliases only.
"""

from collections.abc import Iterator

import pytest

from pennant_dev.demo import setup
from pennant_dev.demo.kube import Kube, Object
from pennant_dev.demo.pods import MLFLOW
from pennant_testing.cluster.deployed import OURS, condition_of
from pennant_testing.cluster.trial_fleet import Fleet

pytestmark = pytest.mark.e2e

CLAIM = "artifacts"
ROOT = f"pvc://{CLAIM}/artifacts"  # as manifests/demo/mlflow has its --artifacts-destination
ELSEWHERE = "pvc://no-such-claim/artifacts"
SHORT = {"bake": "5s", "deadlines": {"schedule": "5s", "fetch": "45s", "load": "30s"}}


@pytest.fixture(scope="module")
def claim(kube: Kube, room: str) -> Iterator[None]:
    """The volume of MLflow's claim once more, and a claim of it where the models are served."""
    theirs = kube.get("pvc", "mlflow", setup.MLFLOW_NAMESPACE) or {}
    volume = kube.get("pv", theirs["spec"]["volumeName"], "") or {}
    same = {name: it for name, it in volume["spec"].items() if name != "claimRef"}
    unclassed = {"storageClassName": "", "accessModes": ["ReadWriteOnce"]}
    kube.create({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": CLAIM, "labels": OURS},
        "spec": {**same, **unclassed, "persistentVolumeReclaimPolicy": "Retain"},
    })  # fmt: skip
    requests = {"requests": {"storage": same["capacity"]["storage"]}}
    kube.create({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": CLAIM, "namespace": room},
        "spec": {**unclassed, "volumeName": CLAIM, "resources": requests},
    })  # fmt: skip
    yield
    kube("delete", "pvc", CLAIM, f"-n={room}", "--wait=false")
    kube("delete", "pv", CLAIM, "--wait=false")


@pytest.fixture(scope="module")
def fleet(kube: Kube, versions: dict[str, str], room: str, claim: None) -> Iterator[Fleet]:
    """One of whom the claim has the bundle, one of whom it has not, and one without a claim."""
    kube.create(_registry("on-disk", ROOT))
    kube.create(_registry("nowhere", ELSEWHERE))
    fleet = Fleet(kube, versions, room)
    for name in ("copies", "misses"):
        fleet.add(name, registry="on-disk")
    fleet.serve()
    fleet.add("unclaimed", registry="nowhere", rollout=SHORT)
    fleet.apply()
    fleet.point(("copies", "better"), ("misses", "gone"), ("unclaimed", "good"))
    yield fleet
    fleet.delete()
    kube("delete", "modelregistry", "on-disk", "nowhere", f"-n={setup.OPERATOR_NAMESPACE}")


def _registry(name: str, root: str) -> Object:
    return {
        "apiVersion": "pennant.dev/v1alpha1",
        "kind": "ModelRegistry",
        "metadata": {"name": name, "namespace": setup.OPERATOR_NAMESPACE},
        "spec": {
            "url": MLFLOW,
            "pollInterval": "2s",
            "artifacts": {"mode": "Direct", "root": root},
        },
    }


def test_bundles_are_copied_from_the_claim_and_only_fetch_sees_it(fleet: Fleet):
    copies = fleet["copies"]
    copies.until(serving=fleet.versions["better"], summary="Serving", readyReplicas=1)
    for pod in copies.pods():
        (fetch,), (serve,) = pod["spec"]["initContainers"], pod["spec"]["containers"]
        (source,) = [e["value"] for e in fetch["env"] if e["name"] == "PENNANT_MODEL_SOURCE"]
        assert source.startswith(f"{ROOT}/")
        assert [m["readOnly"] for m in fetch["volumeMounts"] if m["name"] == "artifacts"] == [True]
        assert "artifacts" not in [mount["name"] for mount in serve["volumeMounts"]]


def test_a_version_whose_bundle_is_not_on_the_volume_is_rejected(fleet: Fleet):
    status = fleet["misses"].until(serving=fleet.versions["good"], summary="Rejected")
    (rejected,) = status["rejected"]
    assert rejected["reason"] == "BundleMissing"
    assert f"there is nothing at {ROOT}/" in rejected["message"]


def test_a_claim_that_is_not_there_holds_the_version_and_is_named(fleet: Fleet):
    status = fleet["unclaimed"].until(summary="Held")
    assert status["candidate"]["reason"] == "Unschedulable"
    assert "no-such-claim" in condition_of(status, "AliasInSync")[2]
