"""Changes that come while other changes are under way, and a bad pod among good ones."""

import json
from collections.abc import Iterator

import pytest

from pennant_dev.demo.kube import Kube, Object, poll
from pennant_dev.demo.stage import END_PROCESS
from pennant_testing.cluster.deployed import Deployed, condition_of
from pennant_testing.cluster.trial_fleet import Fleet

pytestmark = pytest.mark.e2e

NAMES = ("flips", "rests", "grows")
BREAK = f"open('/tmp/broken', 'w').close(); {END_PROCESS}"


@pytest.fixture(scope="module")
def broken_pod(kube: Kube, versions: dict[str, str], room: str) -> Iterator[Deployed]:
    """Two pods, one of which cannot load its bundle any more; made first, because it takes time."""
    fleet = Fleet(kube, versions, room)
    fleet.add("fragile", replicas=2)
    fleet.point(("fragile", "fragile"))
    fleet.apply()
    fragile = fleet["fragile"]
    fragile.until(serving=versions["fragile"], summary="Serving", readyReplicas=2)
    kube.execute(room, _name(fragile.pods()[0]), "python", "-c", BREAK, container="serve")
    fragile.until(readyReplicas=1)
    yield fragile
    fleet.delete()


@pytest.fixture(scope="module")
def fleet(kube: Kube, versions: dict[str, str], room: str, broken_pod: Deployed) -> Iterator[Fleet]:
    fleet = Fleet(kube, versions, room)
    for name in NAMES:
        fleet.add(name)
    fleet.serve()
    yield fleet
    fleet.delete()


def test_an_alias_that_moves_five_times_in_ten_seconds_ends_where_it_points(fleet: Fleet):
    flips, better = fleet["flips"], fleet.versions["better"]
    rows = ("better", "good", "better", "good", "better")
    fleet.point(*(("flips", row) for row in rows), pause=2)
    status = flips.until(serving=better, desired=better, summary="Serving")
    assert "rejected" not in status
    assert "candidate" not in status
    poll(lambda: len(_pods(flips)) == 1, "pods of other moves are left", 60)


def test_a_version_promoted_at_zero_replicas_comes_up_once_there_are_pods_again(fleet: Fleet):
    rests, better = fleet["rests"], fleet.versions["better"]
    scale(rests, 0)
    status = rests.until(readyReplicas=0, replicas=0)
    poll(lambda: not _pods(rests), "its pods are left", 60)
    assert condition_of(rests.status, "Ready")[:2] == ("False", "ScaledToZero")
    fleet.point(("rests", "better"))
    status = rests.until(serving="1", desired=better)
    assert condition_of(status, "Ready")[:2] == ("False", "ScaledToZero")
    assert condition_of(status, "AliasInSync")[:2] == ("False", "ScaledToZero")
    scale(rests, 1)
    status = rests.until(serving=better, summary="Serving", readyReplicas=1)
    assert condition_of(status, "Ready")[:2] == ("True", "Serving")


def test_a_spec_changed_and_scaled_in_mid_rollout_is_what_serves_in_the_end(fleet: Fleet):
    grows, better = fleet["grows"], fleet.versions["better"]
    fleet.point(("grows", "better"))
    grows.until(desired=better, summary="RollingOut")
    fleet.change("grows", replicas=2, serving={"env": [{"name": "SETTING", "value": "new"}]})
    fleet.apply()
    generation = grows.object["metadata"]["generation"]
    grows.until(serving=better, summary="Serving", readyReplicas=2, observedGeneration=generation)
    poll(lambda: len(_pods(grows)) == 2, "pods of other revisions are left", 60)
    for pod in _pods(grows):
        (serve,) = pod["spec"]["containers"]
        assert {"name": "SETTING", "value": "new"} in serve["env"]


def test_a_pod_that_keeps_failing_among_good_ones_is_replaced(broken_pod: Deployed):
    assert broken_pod.condition("Ready") == ("True", "Serving")
    broken_pod.until(readyReplicas=2, summary="Serving")
    (event,) = _events(broken_pod, "PodReplaced")
    assert "LoadFailed" in event["message"] or "could not load" in event["message"]
    assert not any(_restarts(pod) for pod in broken_pod.pods())


def scale(deployed: Deployed, replicas: int) -> None:
    words = ("mldep", deployed.name, f"-n={deployed.namespace}", f"--replicas={replicas}")
    deployed.kube("scale", *words)


def _pods(of: Deployed) -> list[Object]:
    return [child for child in of.children() if child["kind"] == "Pod"]


def _name(pod: Object) -> str:
    return str(pod["metadata"]["name"])


def _restarts(pod: Object) -> int:
    return sum(each["restartCount"] for each in pod["status"]["containerStatuses"])


def _events(of: Deployed, reason: str) -> list[Object]:
    chosen = f"--field-selector=involvedObject.name={of.name},reason={reason}"
    found = json.loads(of.kube("get", "events", f"-n={of.namespace}", chosen, "-o=json"))
    items: list[Object] = found["items"]
    return items
