"""A version is held, serves, is rejected and taken back; MLflow, the terminal, the pager, Git, the
receiver of messages and the record of decisions tell it alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pennant_dev.demo import setup
from pennant_dev.demo.kube import Kube, poll
from pennant_dev.demo.pods import MLFLOW
from pennant_testing.cluster.deployed import WAIT_SECONDS, Deployed, serving
from pennant_testing.cluster.places import Places, receiver
from pennant_testing.command_line import pennant

pytestmark = pytest.mark.e2e

REGISTRY, CLUSTER, SECRET = "told", "e2e", "receiver-of-messages"


@pytest.fixture
def places(kube: Kube, markers: dict[str, str], room: str) -> Iterator[Places]:
    own = f"--namespace={setup.OPERATOR_NAMESPACE}"
    with receiver(kube, room) as address:
        kube("create", "secret", "generic", SECRET, own, f"--from-literal=url={address}")
        try:
            kube("apply", "-f", "-", stdin=json.dumps(registry()))
            with serving(kube, "same-story", room, registry=REGISTRY) as deployed:
                yield Places(deployed, CLUSTER)
        finally:
            kube("delete", "modelregistry", REGISTRY, own, "--ignore-not-found", "--wait=false")
            kube("delete", "secret", SECRET, own)


def registry() -> dict[str, object]:
    """One that writes into MLflow, and sends messages."""
    return {
        "apiVersion": "pennant.dev/v1alpha1",
        "kind": "ModelRegistry",
        "metadata": {"name": REGISTRY, "namespace": setup.OPERATOR_NAMESPACE},
        "spec": {
            "url": MLFLOW,
            "pollInterval": "2s",
            "brake": {"share": "1"},
            "writeBack": {"cluster": CLUSTER},
            "notify": [{"name": "pod", "urlSecret": {"name": SECRET}, "format": "JSON"}],
        },
    }


def written(places: Places, version: str, begins: str) -> None:
    """MLflow says so of a version, once the tags have come after what they tell of."""
    what = f"the tag of version {version} does not begin with {begins!r}"
    poll(lambda: places.registry(version).startswith(begins), what, WAIT_SECONDS)


def tells(places: Places, reason: str, *, in_sync: bool) -> None:
    """The terminal and the pager give the reason."""
    why = places.why()
    assert (why["reason"], why["inSync"]) == (reason, in_sync)
    late = places.pager()
    assert set(late) == (set() if in_sync else {reason})


def test_whoever_tells_of_a_version_tells_the_same(places: Places, tmp_path: Path):
    deployed: Deployed = places.of
    written(places, "1", "serving since ")
    tells(places, "InSync", in_sync=True)

    hold = places.terminal("hold", deployed.name, "--reason", "a test")
    assert "is Active" in hold
    assert places.promote("2") == "RolloutHeldError"
    written(places, "2", "held: HeldByAction: ")
    tells(places, "HeldByAction", in_sync=False)
    assert places.git() == ("Healthy", "Current")
    (remedy, *_) = places.why()["remedies"]
    assert any("delete rolloutaction" in each for each in remedy["changes"][0]["commands"])

    deployed.kube("delete", "rolloutactions", "--all", f"-n={deployed.namespace}")
    assert places.promote("2") == "serves"
    deployed.until(serving="2", summary="Serving")
    written(places, "2", "serving since ")
    poll(lambda: not places.registry("1"), "version 1 still says that it serves", WAIT_SECONDS)
    tells(places, "InSync", in_sync=True)
    second, when = places.registry("2"), datetime.now(UTC).isoformat(timespec="seconds")

    assert places.promote("3") == "RolloutRejectedError"
    deployed.until(serving="2", summary="Rejected")
    written(places, "3", "rejected: LoadFailed: ")
    written(places, "2", "serving since ")
    tells(places, "Rejected", in_sync=False)
    assert places.git() == ("Healthy", "Current")

    assert places.promote("1") == "serves"
    deployed.until(serving="1", summary="Serving")
    written(places, "1", "serving since ")
    tells(places, "InSync", in_sync=True)

    story = [("Serving", "1"), ("Held", "2"), ("Serving", "2"), ("Rejected", "3")]
    poll(lambda: len(places.heard()) > len(story), "not all was sent", WAIT_SECONDS)
    assert places.heard() == [*story, ("RolledBack", "1")]

    name = f"{deployed.namespace}/{deployed.name}"
    log = str(places.record(tmp_path))
    then = pennant("audit", log, "--at", when, name, "-o", "json").facts
    assert then["version"] == "2"
    assert f"sha256 {then['digest']}" in second
    assert then["movedBy"] != "unknown"
