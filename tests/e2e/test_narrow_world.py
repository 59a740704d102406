"""A world with little room, on real pods: quotas, limits, pods that do not end, slow models.

None of it stops a rollout until somebody deletes what serves.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pennant_dev.demo.kube import Kube, Object, poll
from pennant_testing.cluster.deployed import OURS, condition_of
from pennant_testing.cluster.sampler import Sampler
from pennant_testing.cluster.trial_fleet import CUSTOM, Fleet

pytestmark = pytest.mark.e2e

LIMITED, ONE_POD = "limited", "one-pod"  # namespaces, each with what its name says
FINALIZER = "pennant.dev/e2e"
RATIO = {"cpu": "4", "memory": "4"}
LIMITS = {"type": "Container", "max": {"memory": "400Mi"}, "maxLimitRequestRatio": RATIO}
HARD: dict[str, dict[str, str]] = {
    LIMITED: {"limits.cpu": "2", "limits.memory": "2Gi"},
    ONE_POD: {"pods": "1"},
}
WITHIN = {
    "requests": {"cpu": "100m", "memory": "128Mi"},
    "limits": {"cpu": "400m", "memory": "384Mi"},
}
SETTING = {"name": "SETTING", "valueFrom": {"configMapKeyRef": {"name": "setting", "key": "a"}}}
LONG = {"bake": "5s", "deadlines": {"schedule": "5m", "fetch": "5m", "load": "5m"}}


@pytest.fixture(scope="module")
def narrow(kube: Kube, sampler: Sampler) -> Iterator[None]:
    """Namespaces whose quotas and limits leave little room."""
    for name, hard in HARD.items():
        sampler.look_at(name)
        kube.create(_object("Namespace", name, "", labels=OURS))
        kube.create(_object("ResourceQuota", "quota", name) | {"spec": {"hard": hard}})
    kube.create(_object("LimitRange", "limits", LIMITED) | {"spec": {"limits": [LIMITS]}})
    setting = _object("ConfigMap", "setting", ONE_POD) | {"data": {"a": "b"}}
    kube.create(setting)
    yield
    kube("delete", "namespace", *HARD, "--wait=false")


@pytest.fixture(scope="module")
def fleet(kube: Kube, versions: dict[str, str], room: str, narrow: None) -> Iterator[Fleet]:
    """What serves version 1, each in a world of its own."""
    fleet = Fleet(kube, versions, room)
    fleet.add("within", LIMITED, serving={"resources": WITHIN}, rollout=LONG)
    fleet.add("broken", ONE_POD, serving={"env": [SETTING]}, rollout=LONG)
    for name in ("stuck", "slow", "night", "orphaned"):
        fleet.add(name, rollout=LONG)
    fleet.change("stuck", serving=CUSTOM)
    fleet.serve()
    yield fleet
    fleet.delete()


@pytest.fixture(scope="module", autouse=True)
def under_way(kube: Kube, fleet: Fleet) -> None:
    """What takes its time begins at once, side by side."""
    kube("delete", "configmap", "setting", f"-n={ONE_POD}")
    (pod,) = fleet["broken"].pods()
    kube("delete", "pod", pod["metadata"]["name"], f"-n={ONE_POD}", "--grace-period=0", "--force")
    fleet.change("broken", serving={"env": []})
    fleet.change("night", replicas=0)
    fleet.apply()
    fleet.point(("within", "better"), ("slow", "holds-the-lock"), ("stuck", "never-ready"))


def test_a_model_runs_where_every_container_must_name_limits_within_a_range(fleet: Fleet):
    fleet["within"].until(serving=fleet.versions["better"], summary="Serving")


def test_a_pod_that_never_ends_keeps_its_slot_no_longer_than_its_grace(kube: Kube, fleet: Fleet):
    stuck = fleet["stuck"]
    (name,) = poll(lambda: _pods_of(fleet, "stuck", "green"), "no pod of the candidate", 60)
    held = json.dumps({"metadata": {"finalizers": [FINALIZER]}})
    kube("patch", "pod", name, f"-n={stuck.namespace}", "--type=merge", f"-p={held}")
    try:
        fleet.point(("stuck", "better"))
        status = stuck.until(summary="Baking")
        assert status["serving"]["version"] == fleet.versions["better"]
        assert name in _pods_of(fleet, "stuck", "green")
    finally:
        free = json.dumps({"metadata": {"finalizers": None}})
        kube("patch", "pod", name, f"-n={stuck.namespace}", "--type=merge", f"-p={free}")


def test_a_model_that_holds_the_interpreters_lock_while_it_loads_is_let_finish(fleet: Fleet):
    status = fleet["slow"].until(serving=fleet.versions["holds-the-lock"])
    assert "rejected" not in status
    (pod,) = poll(lambda: _ready_on(fleet, "slow", "green"), "its pod is not ready", 30)
    assert [c["restartCount"] for c in pod["status"]["containerStatuses"]] == [0]


def test_at_no_replicas_a_broken_version_takes_nothing_from_the_good_one(fleet: Fleet):
    night = fleet["night"]
    night.until(replicas=0)
    fleet.point(("night", "fails-its-self-test"))
    status = night.until(desired=fleet.versions["fails-its-self-test"], serving="1")
    assert condition_of(status, "AliasInSync")[:2] == ("False", "ScaledToZero")
    night.kube("scale", "mldep", "night", f"-n={night.namespace}", "--replicas=1")
    status = night.until(summary="Rejected", serving="1", readyReplicas=1)
    assert condition_of(status, "Ready")[:2] == ("True", "Serving")


def test_what_answers_nothing_for_a_minute_makes_room_for_its_successor(fleet: Fleet):
    status = fleet["broken"].until(summary="Serving", readyReplicas=1)
    assert status["serving"]["version"] == "1"
    assert "candidate" not in status


def test_what_was_deleted_without_its_children_finds_them_again_and_no_pod_restarts(fleet: Fleet):
    orphaned = fleet["orphaned"]
    before, status = _uids(orphaned.pods()), orphaned.status
    orphaned.delete("--cascade=orphan", "--wait=true")
    poll(lambda: not _controlled(orphaned.children()), "the children have an owner", 60)
    fleet.apply()
    after = orphaned.until(serving="1", summary="Serving")
    assert after["serving"]["revision"] == status["serving"]["revision"]
    assert _uids(orphaned.pods()) == before
    owner = orphaned.object["metadata"]["uid"]
    assert {uid for uid in _controlled(orphaned.children()) if uid} == {owner}


def _object(kind: str, name: str, namespace: str, **metadata: Any) -> Object:
    where = {"namespace": namespace} if namespace else {}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **where, **metadata}}


def _of_slot(fleet: Fleet, name: str, slot: str) -> list[Object]:
    selector = f"pennant.dev/deployment={name},pennant.dev/slot={slot}"
    return fleet.kube.list("pods", fleet[name].namespace, selector)


def _pods_of(fleet: Fleet, name: str, slot: str) -> list[str]:
    return [pod["metadata"]["name"] for pod in _of_slot(fleet, name, slot)]


def _ready_on(fleet: Fleet, name: str, slot: str) -> list[Object]:
    ready = _uids(fleet[name].pods())
    return [pod for pod in _of_slot(fleet, name, slot) if pod["metadata"]["uid"] in ready]


def _uids(pods: list[Object]) -> set[str]:
    return {pod["metadata"]["uid"] for pod in pods}


def _controlled(children: list[Object]) -> set[str]:
    """The uids of the ModelDeployments that control these; pods are the ReplicaSets'."""
    return {
        ref["uid"]
        for child in children
        if child["kind"] != "Pod"
        for ref in child["metadata"].get("ownerReferences", ())
    }
