"""Mode Custom on real pods: newsreco's own API, as manifests/samples/custom.yaml has it."""

import time
from collections.abc import Iterator

import pytest
import yaml

from newsreco import broken
from newsreco.loadgen_report import FRESH, Row
from pennant_dev.demo.kube import Kube, poll
from pennant_dev.demo.pods import IMAGE
from pennant_dev.demo.setup import MANIFESTS
from pennant_testing.cluster.deployed import Deployed, name_after, serving, traffic

pytestmark = pytest.mark.e2e

SAMPLE = yaml.safe_load((MANIFESTS / "samples" / "custom.yaml").read_text())["spec"]["serving"]


@pytest.fixture
def custom(
    kube: Kube, markers: dict[str, str], room: str, request: pytest.FixtureRequest
) -> Iterator[Deployed]:
    with serving(kube, name_after(request), room, serving={**SAMPLE, "image": IMAGE}) as deployed:
        yield deployed


def in_answers(rows: list[Row]) -> list[str]:
    """What the answers were made of, in the order of their first; it names no version itself."""
    return list(dict.fromkeys(row.marker for row in sorted(rows, key=lambda row: row.finished)))


def slots(of: Deployed) -> set[str]:
    """Slots that have a pod, even one that is about to end."""
    pods = (child for child in of.children() if child["kind"] == "Pod")
    return {pod["metadata"]["labels"]["pennant.dev/slot"] for pod in pods}


def test_traffic_follows_the_alias_to_another_marker(custom: Deployed, markers: dict[str, str]):
    with traffic(custom) as flow:
        flow.flows_until(time.time() + 2)
        custom.point_alias_at(2)
        custom.until(serving="2", summary="Serving")
        poll(lambda: len(slots(custom)) == 1, "the previous pod does not end", 60)
        gone = time.time()
        flow.flows_until(gone + 2)
    fresh = [row for row in flow.rows if row.kind == FRESH]
    assert [row for row in fresh if row.error or row.status != 200] == []
    assert in_answers(fresh) == [markers["1"], markers["2"]]
    # Kept connections do not follow a switch, but end with the pod.
    assert in_answers([row for row in flow.rows if row.started > gone]) == [markers["2"]]


def test_a_version_that_a_custom_server_cannot_load_never_answers(custom: Deployed):
    custom.point_alias_at(3)
    status = custom.until(serving="1", desired="3", summary="Rejected")
    (rejected,) = status["rejected"]
    assert rejected["reason"] == "StartFailed"
    assert broken.MODULE in rejected["message"]
    poll(custom.answers, "version 1 does not answer", 30)
