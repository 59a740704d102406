"""Pods that have to go while they have traffic: drained, evicted one by one, or by their node."""

import json
import time
from collections.abc import Iterator

import pytest

from newsreco.loadgen_report import failures
from pennant_dev.demo.kube import Kube, Object, poll
from pennant_dev.demo.pods import IMAGE
from pennant_dev.shell import DevError
from pennant_testing.cluster.deployed import (
    Deployed,
    condition_of,
    drained,
    name_after,
    nodes_with_room,
    serving,
    traffic,
)

pytestmark = pytest.mark.e2e

SECONDS = 2  # of traffic before and after
RULES_CHANGE = 5.0  # seconds, on a busy machine
ADAPTER = "newsreco.serving:NewsrecoAdapter"
FEW_BYTES = {
    "requests": {"cpu": "50m", "memory": "192Mi"},
    "limits": {"memory": "768Mi", "ephemeral-storage": "32Mi"},
}
FILL = "open('/tmp/full', 'wb').write(b'x' * (64 << 20))"


@pytest.fixture
def pair(
    kube: Kube, markers: dict[str, str], room: str, request: pytest.FixtureRequest
) -> Iterator[Deployed]:
    with serving(kube, name_after(request), room, replicas=2) as deployed:
        poll(lambda: len(deployed.pods()) == 2, "not two pods", 30)
        yield deployed


def names(pods: list[Object]) -> set[str]:
    return {pod["metadata"]["name"] for pod in pods}


def evict(pair: Deployed, pod: str) -> bool:
    """Ask the API server as `kubectl drain` does; False when the budget forbids it."""
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": pair.namespace},
    }
    path = f"/api/v1/namespaces/{pair.namespace}/pods/{pod}/eviction"
    try:
        pair.kube("create", "--raw", path, "-f", "-", stdin=json.dumps(body))
    except DevError as error:
        if "disruption budget" not in str(error):
            raise
        return False
    return True


def test_draining_a_node_under_traffic_fails_no_request(pair: Deployed):
    leaves = pair.pods()[0]["spec"]["nodeName"]
    others = nodes_with_room(pair.kube) - {leaves}
    if not others:
        pytest.skip("the cluster has one node: nowhere for its pods to go")
    with traffic(pair, node=min(others)) as flow:
        flow.flows_until(time.time() + SECONDS)
        with drained(pair, leaves):
            poll(lambda: len(pair.pods()) == 2, "the pods do not come back", 60)
            assert leaves not in {pod["spec"]["nodeName"] for pod in pair.pods()}
        flow.flows_until(time.time() + SECONDS)
    assert failures(flow.rows) == []


def test_a_pod_is_not_evicted_while_its_sibling_is_away(pair: Deployed):
    first, second = sorted(names(pair.pods()))
    with traffic(pair) as flow:
        flow.flows_until(time.time() + SECONDS)
        poll(lambda: evict(pair, first), "the budget forbids it with two pods ready", 30)
        assert not evict(pair, second)
        poll(lambda: len(pair.pods()) == 2, "the evicted pod is not replaced", 60)
        poll(lambda: evict(pair, second), "the budget forbids it with two pods ready", 30)
        poll(lambda: len(names(pair.pods()) - {first, second}) == 2, "not replaced", 60)
        flow.flows_until(time.time() + SECONDS)
    assert failures(flow.rows) == []


def test_a_serving_pod_that_its_node_evicts_is_replaced_while_its_sibling_answers(
    kube: Kube, markers: dict[str, str], room: str, request: pytest.FixtureRequest
):
    """The kubelet asks no budget and gives the pod a second: until every node's rules have changed,
    its share of the requests may fail. It had begun to serve, so nothing is held or rejected.
    """
    spec = {"image": IMAGE, "adapter": ADAPTER, "resources": FEW_BYTES}
    with serving(kube, name_after(request), room, replicas=2, serving=spec) as found:
        poll(lambda: len(found.pods()) == 2, "not two pods", 30)
        before, (full, sibling) = found.status, sorted(names(found.pods()))
        with traffic(found) as flow:
            flow.flows_until(time.time() + SECONDS)
            kube.execute(room, full, "python", "-c", FILL, container="serve")
            # By default a kubelet looks at volumes once a minute.
            short = found.until(readyReplicas=1)
            found.until(readyReplicas=2, summary="Serving")
            poll(lambda: len(found.pods()) == 2, "the evicted pod is not replaced", 60)
            flow.flows_until(time.time() + SECONDS)
        lost = [row.started for row in failures(flow.rows)]
        assert not lost or max(lost) - min(lost) < RULES_CHANGE
        assert condition_of(short, "Ready")[:2] == ("True", "Serving")
        assert condition_of(short, "Reconciling")[:2] == ("True", "Scaling")
        assert condition_of(short, "Reconciling")[2].startswith("1 of 2 pods are ready: ")
        assert names(found.pods()) & {full, sibling} == {sibling}
        ended = kube.get("pod", full, room) or {}
        assert ended["status"]["phase"] in {"Failed", "Succeeded"}  # told to end, never deleted
        after = found.status
        assert after["serving"] == before["serving"]
        assert not {"candidate", "rejected"} & after.keys()
