"""Canaries and a mirror on real pods: who answers is asked of the Service, thousands of times."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pennant_dev.demo import setup
from pennant_dev.demo.kube import Kube, poll
from pennant_dev.demo.pods import NAMESPACE
from pennant_testing.cluster.deployed import Deployed, condition_of
from pennant_testing.cluster.pod_scripts import source
from pennant_testing.cluster.trial_fleet import Fleet

pytestmark = pytest.mark.e2e

BAD = "fails-its-self-test"  # which nobody asks for here, so that it loads, and answers 500
STEPS = [{"weight": "1"}, {"weight": "25"}]
CANARY = {"strategy": "Canary", "bake": "5s", "canary": {"steps": STEPS}}
AT_ONCE = {**CANARY, "canary": {"steps": [{"weight": "25"}]}}
UNJUDGED = {"bake": "5s", "answers": {"check": "Off"}}
ASK = source("ask_many")
BESIDE = 8  # requests at a time
MEASURED = 2500  # requests of one kind


@pytest.fixture(scope="module")
def fleet(kube: Kube, versions: dict[str, str], room: str) -> Iterator[Fleet]:
    """All of them serve the version `good`."""
    fleet = Fleet(kube, versions, room)
    serving = {"selfTest": "Off"}
    # Who answers counts there, not how: nothing else is to end these.
    fleet.add("exact", replicas=2, rollout=CANARY | UNJUDGED, serving=serving)
    fleet.add("aborted", rollout=AT_ONCE | UNJUDGED, serving=serving)
    fleet.add("failing", rollout=AT_ONCE, serving=serving)
    fleet.add("challenger", rollout=UNJUDGED, serving=serving)
    fleet.add("champion", mirror={"to": "challenger", "percent": "100"}, serving=serving)
    fleet.serve()
    fleet.point(("exact", "better"), ("failing", BAD), ("aborted", "better"), ("challenger", BAD))
    yield fleet
    fleet.delete()


def asked(of: Deployed, requests: int, connections: str = "kept") -> Counter[str]:
    """How many of the requests each version answered."""
    host = f"{of.name}.{of.namespace}.svc.cluster.local."
    words = ("python", "-c", ASK, host, str(requests), str(BESIDE), connections)
    return Counter(json.loads(of.kube.execute(NAMESPACE, setup.TOOLBOX, *words)))


def has_weight(of: Deployed, weight: str, version: str) -> None:
    """It is in force, and pods hand requests over."""
    poll(lambda: of.status.get("canary", {}).get("weight") == weight, f"no weight {weight}", 240)
    least = 200 * float(weight) / 100 / 2
    poll(lambda: asked(of, 200)[version] > least, "no request is handed over", 60)


def shares_nothing(of: Deployed) -> bool:
    """No pod is told to hand requests over, and nobody could take them."""
    told = [pod["metadata"].get("annotations", {}).get("pennant.dev/traffic") for pod in of.pods()]
    service = of.kube.get("service", f"{of.name}-candidate", of.namespace)
    return not any(told) and service is None


def act(of: Deployed, action: str) -> None:
    manifest = {
        "apiVersion": "pennant.dev/v1alpha1",
        "kind": "RolloutAction",
        "metadata": {"generateName": f"{of.name}-", "namespace": of.namespace},
        "spec": {"deployment": of.name, "action": action, "reason": "a test"},
    }
    of.kube("create", "-f", "-", stdin=json.dumps(manifest))


def rejection(of: Deployed) -> dict[str, Any]:
    (rejected,) = of.until(serving=of.status["serving"]["version"], summary="Rejected")["rejected"]
    return dict(rejected)


def test_the_weight_is_met_within_a_point_and_promote_gives_it_all(fleet: Fleet):
    exact, new, old = fleet["exact"], fleet.versions["better"], fleet.versions["good"]
    for percent, weight in ((1.0, "1"), (25.0, "25")):
        has_weight(exact, weight, new)
        for connections in ("fresh", "kept"):
            counts = asked(exact, MEASURED, connections)
            assert counts.keys() <= {new, old}, counts
            assert abs(100 * counts[new] / MEASURED - percent) <= 1, counts
        act(exact, "Skip" if weight == "1" else "Promote")
    exact.until(serving=new)
    poll(lambda: shares_nothing(exact), "a share is left", 30)
    assert asked(exact, 200) == {new: 200}


def test_a_candidate_that_answers_500_loses_its_share_and_nobody_sees_a_failure(fleet: Fleet):
    failing, good = fleet["failing"], fleet.versions["good"]
    poll(lambda: failing.status.get("canary", {}).get("weight") == "25", "no weight", 240)
    with ThreadPoolExecutor(1) as executor:
        asking = executor.submit(asked, failing, 3000)
        rejected = rejection(failing)
        poll(lambda: shares_nothing(failing), "a share is left", 30)
        assert asking.result() == {good: 3000}
    assert (rejected["version"], rejected["reason"]) == (fleet.versions[BAD], "ErrorsInCanary")


def test_an_abort_takes_the_share_away(fleet: Fleet):
    aborted = fleet["aborted"]
    has_weight(aborted, "25", fleet.versions["better"])
    status = aborted.status
    assert condition_of(status, "AliasInSync")[:2] == ("False", "RollingOut")
    assert "gets 25% of the requests" in condition_of(status, "AliasInSync")[2]
    act(aborted, "Abort")
    assert rejection(aborted)["reason"] == "Aborted"
    poll(lambda: shares_nothing(aborted), "a share is left", 30)
    assert asked(aborted, 200) == {fleet.versions["good"]: 200}


def test_a_challenger_that_fails_harms_nobody_and_the_status_tells(fleet: Fleet):
    champion, challenger = fleet["champion"], fleet["challenger"]
    challenger.until(serving=fleet.versions[BAD])
    counts = Counter[str]()

    def is_told() -> bool:
        counts.update(asked(champion, 200))
        return bool(champion.status.get("mirror", {}).get("failed"))

    poll(is_told, "status.mirror tells of no failure", 120)
    assert counts.keys() == {fleet.versions["good"]}
    mirror = champion.status["mirror"]
    assert (mirror["to"], mirror["compared"], mirror["agreed"]) == ("challenger", 0, 0)
    assert champion.status["summary"] == "Serving"
