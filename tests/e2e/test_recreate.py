"""One device for two versions: what serves makes way for its successor, and no request fails.

`PENNANT_MOVES=20` is for a quiet machine: so many moves of the alias, of which each fourth is to a
version that cannot be loaded, 50 requests a second, and nobody may wait for long.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest

from newsreco.loadgen_report import between
from pennant_dev.demo.kube import Kube, poll
from pennant_dev.demo.pods import IMAGE
from pennant_dev.demo.traffic import Traffic
from pennant_testing.cluster.deployed import Deployed, nodes_with_room, serving

pytestmark = pytest.mark.e2e

DEVICE = "example.com/gpu"
MEASURED = "PENNANT_MOVES" in os.environ
MOVES = int(os.environ.get("PENNANT_MOVES", "3"))
REQUESTS_PER_SECOND = 50 if MEASURED else 20
BROKEN = "3"  # it cannot be loaded
LONGEST_SECONDS = 8.0  # that a request waits
LONGEST_WAY_BACK_SECONDS = 16.0  # where what was tried cannot be loaded
SERVING = {
    "image": IMAGE,
    "adapter": "newsreco.serving:NewsrecoAdapter",
    "resources": {
        "requests": {"cpu": "200m", "memory": "64Mi", DEVICE: "1"},
        "limits": {"memory": "512Mi", DEVICE: "1"},
    },
}


@dataclass
class Holders:
    """The pods that hold the device, as a watch tells of them, and the most that there were."""

    now: set[str] = field(default_factory=set)
    most: int = 0

    def take(self, lines: Iterable[str]) -> None:
        for line in lines:
            event = json.loads(line)
            pod = event["object"]
            placed = "nodeName" in pod["spec"] and pod["status"]["phase"] in {"Pending", "Running"}
            holds = placed and event["type"] != "DELETED"
            (self.now.add if holds else self.now.discard)(pod["metadata"]["uid"])
            self.most = max(self.most, len(self.now))


@pytest.fixture(scope="module")
def device(kube: Kube) -> Iterator[None]:
    """One unit, on one node."""
    node, path = min(nodes_with_room(kube)), DEVICE.replace("/", "~1")

    def patch(**operation: str) -> None:
        paths = (f"/status/{field}/{path}" for field in ("capacity", "allocatable"))
        operations = json.dumps([{**operation, "path": each} for each in paths])
        kube("patch", "node", node, "--subresource=status", "--type=json", f"--patch={operations}")

    patch(op="add", value="1")
    yield
    patch(op="remove")


@pytest.fixture
def rare(kube: Kube, markers: dict[str, str], room: str, device: None) -> Iterator[Deployed]:
    """It serves version 1 with the only device."""
    rollout = {"strategy": "Recreate", "bake": "5s", "lobby": {"maxWait": "2m"}}
    with serving(kube, "rare", room, serving=SERVING, rollout=rollout) as deployed:
        yield deployed


@contextmanager
def watched(of: Deployed) -> Iterator[Holders]:
    holders = Holders()
    selector = quote(f"pennant.dev/deployment={of.name}")
    url = f"/api/v1/namespaces/{of.namespace}/pods?watch=true&labelSelector={selector}"
    stream = of.kube.stream("get", "--raw", url, take=holders.take)
    try:
        yield holders
        assert not stream.ended, "nobody looked at the pods any more"
    finally:
        stream.stop()


def moves() -> list[str]:
    """To versions in turn; each fourth is to the broken one."""
    good = ["2", "1"]
    return [
        BROKEN if number % 4 == 2 else good[(number - (number + 1) // 4) % 2]
        for number in range(MOVES)
    ]


def test_no_request_fails_while_the_only_device_changes_hands(
    rare: Deployed, markers: dict[str, str]
):
    options = ("--timeout=150", "--in-flight=2000")
    url = f"http://{rare.name}.{rare.namespace}.svc.cluster.local"
    flow = Traffic(rare.kube, url, rate=REQUESTS_PER_SECOND, name="load-rare", options=options)
    spans = []
    with watched(rare) as holders:
        flow.start()
        try:
            for version in moves():
                begun, before = time.time(), rare.status["serving"]["version"]
                rare.point_alias_at(version)
                if version == BROKEN:
                    rare.until(summary="Rejected", desired=version)
                    rare.until(serving=before, summary="Rejected", readyReplicas=1)
                else:
                    rare.until(serving=version, summary="Serving", readyReplicas=1)
                flow.flows_until(time.time() + 1)  # what waited is answered by then
                spans.append((version, begun, time.time()))
            poll(lambda: not rare.kube.get("deployment", "rare-lobby", rare.namespace), "lobby", 60)
        finally:
            flow.stop()
    failed = [row for row in flow.rows if row.failed]
    assert not failed, (failed[:2], Counter((row.status, row.version, row.error) for row in failed))
    assert holders.most == 1
    waits = [(version, longest_wait(flow, begun, ended)) for version, begun, ended in spans]
    print(f"longest waits, by the version asked for, of {len(flow.rows)} requests: {waits}")
    limits = dict.fromkeys(markers, LONGEST_SECONDS) | {BROKEN: LONGEST_WAY_BACK_SECONDS}
    assert not MEASURED or all(wait <= limits[version] for version, wait in waits)


def longest_wait(flow: Traffic, begun: float, ended: float) -> float:
    """Seconds, of the requests that were answered then."""
    rows = between(flow.rows, begun, ended)
    return round(max(row.finished - row.started for row in rows), 1)
