"""Pods exchanged a few at a time, on and back, under traffic: no request fails.

And no more pods are asked for than the surge, nor do fewer answer than may be away.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from newsreco.loadgen_report import FRESH, POOLED
from pennant_dev.demo.kube import Kube, Object, poll
from pennant_dev.demo.traffic import Traffic
from pennant_testing.cluster.deployed import Deployed, condition_of, serving
from pennant_testing.running.side_by_side import Begun, begin, beside

pytestmark = pytest.mark.e2e

REPLICAS = 3
BROKEN = "3"  # it cannot be loaded
Room = tuple[Kube, str]


@dataclass
class Sizes:
    """What watches tell of one ModelDeployment: the most pods, and the fewest that answer."""

    asked: dict[str, int] = field(default_factory=dict)  # by Deployment
    ready: set[str] = field(default_factory=set)  # names of pods
    most: int = 0
    fewest: int = REPLICAS
    fewest_with_traffic: int = REPLICAS  # by the status

    def deployments(self, lines: Iterable[str]) -> None:
        for thing in map(_object, lines):
            self.asked[thing["metadata"]["name"]] = thing["spec"]["replicas"]
            self.most = max(self.most, sum(self.asked.values()))

    def pods(self, lines: Iterable[str]) -> None:
        full = False
        for thing in map(_object, lines):
            meta, conditions = thing["metadata"], thing["status"].get("conditions", ())
            ready = {"type": "Ready", "status": "True"}
            answers = any(ready.items() <= each.items() for each in conditions)
            stays = answers and "deletionTimestamp" not in meta
            (self.ready.add if stays else self.ready.discard)(meta["name"])
            full = full or len(self.ready) >= REPLICAS  # the watch begins with one at a time
            self.fewest = min(self.fewest, len(self.ready)) if full else self.fewest

    def statuses(self, lines: Iterable[str]) -> None:
        for thing in map(_object, lines):
            ready = thing["status"]["readyReplicas"]
            self.fewest_with_traffic = min(self.fewest_with_traffic, ready)


def _object(line: str) -> Object:
    found: Object = json.loads(line)["object"]
    return found


@contextmanager
def watched(of: Deployed) -> Iterator[Sizes]:
    sizes, where = Sizes(), f"namespaces/{of.namespace}"
    ours = f"watch=true&labelSelector=pennant.dev%2Fdeployment%3D{of.name}"
    one = f"watch=true&fieldSelector=metadata.name%3D{of.name}"
    paths: dict[str, Callable[[Iterable[str]], None]] = {
        f"/apis/apps/v1/{where}/deployments?{ours}": sizes.deployments,
        f"/api/v1/{where}/pods?{ours}": sizes.pods,
        f"/apis/pennant.dev/v1alpha1/{where}/modeldeployments?{one}": sizes.statuses,
    }
    streams = [of.kube.stream("get", "--raw", path, take=take) for path, take in paths.items()]
    try:
        yield sizes
        assert not any(stream.ended for stream in streams), "nobody looked any more"
    finally:
        with ExitStack() as stack:
            for stream in streams:
                stack.callback(stream.stop)


@contextmanager
def standing(kube: Kube, room: str) -> Iterator[Room]:
    yield kube, room


@pytest.fixture(scope="module")
def begun(
    kube: Kube, markers: dict[str, str], room: str, request: pytest.FixtureRequest
) -> Iterator[Begun]:
    stand: Callable[[], AbstractContextManager[Any]] = partial(standing, kube, room)
    with begin(request, stand) as tests:
        yield tests


def half_rolled(of: Deployed, version: str) -> None:
    poll(
        lambda: of.status.get("alongside", {}).get("version") == version,
        f"version {version} gets no part of the traffic", 120, interval=0.1,
    )  # fmt: skip


def settled(of: Deployed, version: str, reason: str) -> None:
    """One version has all the traffic again, on all its pods, and it is said why."""

    def is_so() -> bool:
        status = of.status
        serves = status["serving"]["version"], status["replicas"], status["readyReplicas"]
        said = condition_of(status, "AliasInSync")[1]
        alone = "alongside" not in status and condition_of(status, "Reconciling")[0] == "False"
        return alone and serves == (version, REPLICAS, REPLICAS) and said == reason

    poll(is_so, f"version {version} does not have all the traffic ({reason})", 180, interval=0.1)


def abort(of: Deployed) -> None:
    of.kube.create(
        {
            "apiVersion": "pennant.dev/v1alpha1",
            "kind": "RolloutAction",
            "metadata": {"name": f"{of.name}-abort", "namespace": of.namespace},
            "spec": {"deployment": of.name, "action": "Abort", "reason": "a test"},
        }
    )


@beside
@pytest.mark.parametrize("surge", [1, 0])
def test_rolled_refused_aborted_and_back_no_request_fails(standing: Room, surge: int):
    (kube, room), away = standing, 1 - surge
    rolling = {"maxSurge": surge, "maxUnavailable": away}
    rollout = {"strategy": "Rolling", "rolling": rolling, "bake": "5s"}
    name = f"surge-{surge}"
    with serving(kube, name, room, replicas=REPLICAS, rollout=rollout) as of:
        url = f"http://{name}.{room}.svc.cluster.local"
        flow = Traffic(kube, url, rate=30, name=f"load-{name}")
        with watched(of) as sizes:
            flow.start()
            try:
                of.point_alias_at(2)
                half_rolled(of, "2")
                settled(of, "2", "InSync")
                of.point_alias_at(BROKEN)
                settled(of, "2", "Rejected")
                of.point_alias_at(1)
                half_rolled(of, "1")
                abort(of)
                settled(of, "2", "Rejected")
                of.point_alias_at(2)
                settled(of, "2", "InSync")
                of.point_alias_at(1)
                half_rolled(of, "1")
                of.point_alias_at(2)
                settled(of, "2", "InSync")
                flow.flows_until(flow.rows[-1].finished + 1)
            finally:
                flow.stop()
    assert [row for row in flow.rows if row.failed] == []
    assert {row.kind for row in flow.rows} == {FRESH, POOLED}
    assert {row.version for row in flow.rows} == {"1", "2"}
    assert sizes.most <= REPLICAS + surge
    assert sizes.fewest >= REPLICAS - away
    assert sizes.fewest_with_traffic >= REPLICAS - away
