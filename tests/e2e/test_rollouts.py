"""Rollouts of ModelDeployments of their own, on real pods."""

import json
from difflib import unified_diff

import pytest

from pennant_dev.demo.kube import Object, poll
from pennant_testing.cluster.deployed import Deployed, condition_of
from pennant_testing.cluster.operator_pods import NAMESPACE, leader, pod_of

pytestmark = pytest.mark.e2e


def test_scaling_follows_the_spec_through_the_scale_subresource(deployed: Deployed):
    deployed.kube("scale", "mldep", deployed.name, f"-n={deployed.namespace}", "--replicas=2")
    status = deployed.until(readyReplicas=2, replicas=2)
    assert "pennant.dev/slot=" in status["selector"]
    pods = deployed.kube.list("pods", deployed.namespace, status["selector"])
    assert len(pods) == 2


def test_suspend_holds_an_alias_move_until_it_is_lifted(deployed: Deployed):
    deployed.apply(suspend=True)
    deployed.point_alias_at(2)
    deployed.until(desired="2", serving="1", summary="Suspended")
    assert deployed.condition("AliasInSync") == ("False", "Suspended")
    deployed.apply(suspend=False)
    deployed.until(serving="2")


def test_a_version_that_nobody_approved_gets_no_pod_until_somebody_does(deployed: Deployed):
    key = f"approved-{deployed.name}"  # others follow the same version
    deployed.apply(gates={"tags": [{"key": key, "value": "true"}]})
    deployed.point_alias_at(2)
    why = f"tag {key} is not set, and must be 'true'"
    poll(lambda: why in condition_of(deployed.status, "AliasInSync")[2], "it is not held", 60)
    assert deployed.condition("AliasInSync") == ("False", "GateNotPassed")
    assert deployed.status["summary"] == "Held"
    assert [gate["result"] for gate in deployed.status["gates"]] == ["Failed"]
    assert "candidate" not in deployed.status
    deployed.tag(2, key, "true")
    assert "gates" not in deployed.until(serving="2")


def test_a_removed_alias_keeps_what_serves_or_scales_it_down_as_asked(deployed: Deployed):
    deployed.remove_alias()
    poll(lambda: deployed.condition("AliasInSync")[1] == "AliasNotSet", "not noticed", 60)
    assert deployed.condition("Ready") == ("True", "Serving")
    deployed.apply(onAliasRemoved="ScaleDown")
    deployed.until(summary="Waiting", readyReplicas=0)
    assert deployed.condition("Ready") == ("False", "ScaledDown")
    poll(lambda: not any(c["kind"] == "Pod" for c in deployed.children()), "pods are left", 60)
    deployed.point_alias_at(1)
    deployed.until(serving="1", readyReplicas=1)


def test_a_pinned_version_stays_whatever_the_alias_says(deployed: Deployed):
    deployed.apply(model={"name": deployed.model, "version": "2"})
    deployed.until(serving="2", summary="Serving")
    assert deployed.condition("AliasInSync") == ("True", "Pinned")


def test_going_back_within_the_bake_starts_no_pod(deployed: Deployed):
    deployed.apply(rollout={"bake": "5m"})
    deployed.point_alias_at(2)
    deployed.until(serving="2", summary="Baking")
    before = {pod["metadata"]["uid"] for pod in deployed.children() if pod["kind"] == "Pod"}
    deployed.point_alias_at(1)
    deployed.until(serving="1")
    after = {pod["metadata"]["uid"] for pod in deployed.children() if pod["kind"] == "Pod"}
    assert after == before


def test_no_mark_of_the_framework_is_on_anything(deployed: Deployed):
    for thing in (deployed.object, *deployed.children()):
        assert "kopf" not in json.dumps(thing)
        assert "finalizers" not in thing["metadata"]


def test_children_edited_or_deleted_by_hand_come_back(deployed: Deployed):
    slot = deployed.status["selector"].rpartition("=")[2]
    name = f"{deployed.name}-{slot}"

    def size() -> int:
        live = deployed.kube.get("deployment", name, deployed.namespace) or {}
        return int(live["spec"]["replicas"])

    deployed.kube("scale", f"deployment/{name}", f"-n={deployed.namespace}", "--replicas=3")
    poll(lambda: size() == 1, "the size is not put right", 30)
    deployed.until(replicas=1, readyReplicas=1)
    where = ("service", deployed.name, deployed.namespace)
    deployed.kube("delete", *where[:2], f"-n={deployed.namespace}")
    poll(lambda: deployed.kube.get(*where), "no Service", 30)
    service = deployed.kube.get(*where)
    assert service is not None
    assert service["spec"]["selector"]["pennant.dev/slot"] == slot


def test_deleted_and_created_again_at_once_it_serves_again(deployed: Deployed):
    before = deployed.object["metadata"]["uid"]
    deployed.delete("--wait=false")
    poll(lambda: deployed.object.get("metadata", {}).get("uid") != before, "not deleted", 30)
    deployed.apply()
    deployed.until(serving="1", readyReplicas=1)
    owners = {
        reference["uid"]
        for child in deployed.children()
        if child["kind"] in {"Service", "Deployment"}
        for reference in child["metadata"]["ownerReferences"]
    }
    assert owners == {deployed.object["metadata"]["uid"]}


def test_an_idle_operator_writes_nothing(deployed: Deployed):
    def objects() -> dict[str, Object]:
        return {each["metadata"]["uid"]: each for each in (deployed.object, *deployed.children())}

    def polls() -> float:
        text = deployed.kube(
            "get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/"
            f"{pod_of(leader(deployed.kube))}:8081/proxy/metrics"
        )  # fmt: skip
        lines = [line for line in text.splitlines() if "last_success_timestamp" in line]
        return float(lines[-1].split()[-1])

    def settled() -> bool:
        nonlocal before
        earlier, before = before, objects()
        bakes = any("answers" in each.get("status", {}) for each in before.values())
        return not bakes and earlier == before

    # Its bake has to end, and Kubernetes to write about what has just begun to serve.
    before = objects()
    poll(settled, "its objects go on changing", 120, interval=3)
    first = polls()
    poll(lambda: polls() > first + 6, "the registry is not polled", 60)
    assert changes(before, objects()) == []


def changes(before: dict[str, Object], after: dict[str, Object]) -> list[str]:
    """What became of each object that is not as it was."""
    return [
        "\n".join(unified_diff(lines(before.get(uid)), lines(after.get(uid)), lineterm=""))
        for uid in before.keys() | after.keys()
        if before.get(uid) != after.get(uid)
    ]


def lines(thing: Object | None) -> list[str]:
    return json.dumps(thing, indent=1, sort_keys=True).splitlines()
