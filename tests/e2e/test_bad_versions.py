"""Versions that must not get traffic, each on real pods: version 1 keeps it, and why is to read.

All of them are promoted at once, so that their waiting overlaps.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from pennant_dev.demo.kube import Kube, Object, poll
from pennant_testing.cluster.deployed import condition_of
from pennant_testing.cluster.sampler import Sampler
from pennant_testing.cluster.trial_fleet import Fleet
from pennant_testing.waiting import until

pytestmark = pytest.mark.e2e

CREDENTIALS = "registry-credentials"


class Row(NamedTuple):
    """A version, why it is rejected, and words that the message must have."""

    version: str
    reason: str
    says: tuple[str, ...]
    spec: dict[str, Any] = {}  # noqa: RUF012 - never changed


ROWS = [
    Row("truncated", "LoadFailed", ("truncated",)),
    Row("unreadable", "LoadFailed", ("MLmodel",)),
    Row("lacks-a-package", "LoadFailed", ("lightgbm==4.6.0", "requirements.txt", "serving.image")),
    Row("hostile", "LoadFailed", (), {"serving": {"credentialsSecret": CREDENTIALS}}),
    Row("changed", "DigestMismatch", ("digest", "changed")),
    Row("gone", "BundleMissing", ("not there",)),
    Row("fails-its-self-test", "SelfTestFailed", ("input example", "missing")),
    Row("out-of-memory", "StartFailed", ("out of memory", "256Mi", "limits.memory")),
    Row("crashes-after-ready", "CrashedInBake", ("restarted",), {"rollout": {"bake": "5m"}}),
]
NAMES = [row.version for row in ROWS]


@pytest.fixture(scope="module")
def fleet(kube: Kube, versions: dict[str, str], room: str) -> Iterator[Fleet]:
    """One ModelDeployment for each row: version 1 served, and then the row's was promoted."""
    kube.create(_secret(room))
    fleet = Fleet(kube, versions, room)
    for row in ROWS:
        fleet.add(row.version, **row.spec)
    fleet.add("elsewhere")
    fleet.serve()
    fleet.point(*((name, name) for name in (*NAMES, "elsewhere")))
    yield fleet
    fleet.delete()


def _secret(namespace: str) -> Object:
    metadata = {"name": CREDENTIALS, "namespace": namespace}
    data = {"MLFLOW_TRACKING_USERNAME": "stolen", "MLFLOW_TRACKING_PASSWORD": "stolen"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}


def rejected(fleet: Fleet, name: str) -> Object:
    """The status once its version was refused, with version 1 serving."""
    return fleet[name].until(serving="1", summary="Rejected")


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_a_bad_version_is_rejected_and_version_one_keeps_the_traffic(
    fleet: Fleet, sampler: Sampler, room: str, row: Row
):
    status = rejected(fleet, row.version)
    (found,) = status["rejected"]
    assert (found["version"], found["reason"]) == (fleet.versions[row.version], row.reason)
    assert condition_of(status, "AliasInSync")[:2] == ("False", "Rejected")
    for words in row.says:
        assert words in found["message"]
        assert words in condition_of(status, "AliasInSync")[2]
    assert condition_of(status, "Ready")[:2] == ("True", "Serving")
    assert condition_of(status, "Stalled")[0] == "False"
    poll(lambda: len(fleet[row.version].pods()) == 1, "its pods are not taken down", 60)
    until(lambda: sampler.answering(room, row.version) == "1")
    had_traffic = {found["version"]} if row.reason == "CrashedInBake" else set()
    assert sampler.answered(room, row.version) - had_traffic == {"1"}


def test_a_hostile_version_finds_no_credentials_and_can_change_nothing(fleet: Fleet):
    message = rejected(fleet, "hostile")["rejected"][0]["message"]
    got = json.loads(message[message.index("{") : message.rindex("}") + 1])
    assert got == {
        "found": [],
        "written": [],
        "user": 65532,
        "groups": [65532],
        "powers": 0,
        "may gain more": False,
    }


def test_a_version_in_somebody_elses_store_is_not_fetched(
    fleet: Fleet, sampler: Sampler, room: str
):
    status = fleet["elsewhere"].until(serving="1", summary="Held")
    assert condition_of(status, "Stalled")[:2] == ("False", "NotStalled")
    assert condition_of(status, "AliasInSync")[:2] == ("False", "SourceNotAllowed")
    assert "s3://somebody-elses/bundle" in condition_of(status, "AliasInSync")[2]
    assert condition_of(status, "Ready")[:2] == ("True", "Serving")
    assert len([c for c in fleet["elsewhere"].children() if c["kind"] == "Pod"]) == 1
    assert sampler.answered(room, "elsewhere") == {"1"}
