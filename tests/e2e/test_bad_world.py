"""Rollouts that the world does not let through, on real pods: held, said, and tried again.

What serves goes on serving meanwhile. The deadlines are short here: a person's autoscaler needs
the half hour that `schedule` has by default.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from pennant_dev import cluster, oci
from pennant_dev.demo.kube import Kube, Object
from pennant_testing.cluster.deployed import OURS, ROOM, condition_of
from pennant_testing.cluster.sampler import Sampler
from pennant_testing.cluster.trial_fleet import CUSTOM, SMALL, Fleet

pytestmark = pytest.mark.e2e

CRAMPED = "cramped"  # a namespace with room for one pod
AS_ROOT = "localhost/as-root:dev"
AS_NAMED = "localhost/as-somebody:dev"
IMAGES = {AS_ROOT: "", AS_NAMED: "somebody"}  # and whom they run as
FEW_BYTES = {**SMALL, "limits": {**SMALL["limits"], "ephemeral-storage": "32Mi"}}
# Why a container cannot be created, the kubelet says only when it tries again, 10 to 15 s later.
SHORT = {"bake": "5s", "deadlines": {"schedule": "5s", "fetch": "90s", "load": "60s"}}
# A self-test that hangs fails by itself after 30 s (`PENNANT_REQUEST_TIMEOUT`).
SHORTER = {**SHORT, "deadlines": {**SHORT["deadlines"], "load": "20s"}}
# A disk has to fill first, and the kubelet to look at it (every 5 s) and for whom to evict (10 s).
EVICTABLE = {
    **SHORT,
    "deadlines": {**SHORT["deadlines"], "load": "120s"},
}  # a busy kubelet measures disks late
NO_MAP = {"name": "SETTING", "valueFrom": {"configMapKeyRef": {"name": "no-such-map", "key": "a"}}}


class Row(NamedTuple):
    """What is in the way, the reason that is given, and words that the message must have.

    Another version is promoted, or the spec of version 1 is changed.
    """

    name: str
    reason: str
    says: tuple[str, ...]
    version: str = ""
    serving: dict[str, Any] = {}  # noqa: RUF012 - never changed
    always: dict[str, Any] = {}  # noqa: RUF012 - of `serving`, from the beginning
    rollout: dict[str, Any] = SHORT


ROWS = [
    Row("hangs", "DeadlineExceeded", ("deadlines.load", "not ready"), "hangs-in-its-self-test",
        rollout=SHORTER),
    Row("never-ready", "DeadlineExceeded", ("deadlines.load",), "never-ready", always=CUSTOM),
    Row("climbs", "DownloadFailed", ("deadlines.fetch", "by-traversal", "file name"), "climbs"),
    Row("no-image", "ImagePullFailed", ("deadlines.load", "imagePullSecrets"),
        serving={"image": "localhost/no-such-image:dev"}),
    Row("no-map", "ConfigurationError", ("no-such-map", "spec.serving"),
        serving={"env": [NO_MAP]}),
    Row("no-secret", "CredentialsMissing", ("no-such-secret", "credentialsSecret"),
        serving={"credentialsSecret": "no-such-secret"}),
    Row("as-root", "ImageRunsAsRoot", ("run as root", "a USER that is a number"),
        serving={"image": AS_ROOT}),
    Row("as-somebody", "ImageRunsAsRoot", ("somebody", "a USER that is a number"),
        serving={"image": AS_NAMED}),
    Row("fills-its-disk", "Evicted", ("a pod was evicted", "another takes its place"),
        "fills-its-disk", always={"resources": FEW_BYTES}, rollout=EVICTABLE),
    Row("no-node", "Unschedulable", ("deadlines.schedule", "make room"),
        serving={"nodeSelector": {ROOM: "yes"}}),
    Row("no-quota", "QuotaExceeded", ("exceeded quota", "ResourceQuota"), "better"),
]  # fmt: skip
NAMES = [row.name for row in ROWS]


class Held(NamedTuple):
    """The status once a rollout was held, and the versions in all answers until then."""

    status: Object
    answered: set[str]


@pytest.fixture(scope="module")
def cramped(kube: Kube, sampler: Sampler) -> Iterator[None]:
    """A namespace whose quota is one pod."""
    sampler.look_at(CRAMPED)
    named = {"name": CRAMPED, "labels": OURS}
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": named})
    metadata = {"name": "pods", "namespace": CRAMPED}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata}
    kube.create({**quota, "spec": {"hard": {"pods": "1"}}})
    yield
    kube("delete", "namespace", CRAMPED, "--wait=false")


@pytest.fixture(scope="module")
def rooted(kube: Kube, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Images on every node that Pods may not run: no user, or one that has no number."""
    folder = tmp_path_factory.mktemp("images")
    program = folder / "server"
    program.write_bytes(b"never runs")
    for number, (reference, user) in enumerate(IMAGES.items()):
        archive = folder / f"{number}.tar"
        oci.write_single_binary(archive, program, reference, user)
        cluster.load([str(archive)])


@pytest.fixture(scope="module")
def fleet(
    kube: Kube, versions: dict[str, str], room: str, cramped: None, rooted: None
) -> Iterator[Fleet]:
    """One ModelDeployment for each row: version 1 served, and then came what does not work."""
    fleet = Fleet(kube, versions, room)
    for row in ROWS:
        fleet.add(row.name, CRAMPED if row.name == "no-quota" else room, serving=row.always)
    fleet.add("taken")
    fleet.serve()
    for row in ROWS:
        fleet.change(row.name, rollout=row.rollout, serving=row.serving)
    fleet.apply()
    fleet.point(*((row.name, row.version) for row in ROWS if row.version))
    yield fleet
    fleet.delete()


@pytest.fixture(scope="module")
def held(fleet: Fleet, sampler: Sampler) -> Iterator[dict[str, Held]]:
    """Each once it was held. Where room is short, there is some before the first new try."""
    first_ones = {name: _held(fleet, sampler, name) for name in ("no-node", "no-quota")}
    node = fleet.kube.list("nodes", "default")[0]["metadata"]["name"]
    fleet.kube("label", "node", node, f"{ROOM}=yes")
    patch = '{"spec": {"hard": {"pods": "2"}}}'
    fleet.kube("patch", "resourcequota", "pods", f"-n={CRAMPED}", "--type=merge", f"-p={patch}")
    yield first_ones | {
        name: _held(fleet, sampler, name) for name in NAMES if name not in first_ones
    }
    fleet.kube("label", "node", node, f"{ROOM}-")


def _held(fleet: Fleet, sampler: Sampler, name: str) -> Held:
    status = fleet[name].until(serving="1", summary="Held")
    return Held(status, sampler.answered(fleet[name].namespace, name))


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_a_rollout_is_held_with_the_reason_and_version_one_keeps_the_traffic(
    held: dict[str, Held], row: Row
):
    status, answered = held[row.name]
    assert status["candidate"]["reason"] == row.reason
    assert condition_of(status, "AliasInSync")[:2] == ("False", "Held")
    for words in row.says:
        assert words in status["candidate"]["message"]
        assert words in condition_of(status, "AliasInSync")[2]
    assert condition_of(status, "Ready")[:2] == ("True", "Serving")
    # What the spec asks for is not done; an alias is not in it.
    assert condition_of(status, "Reconciling")[0] == str(bool(row.serving))
    assert condition_of(status, "Stalled")[0] == "False"
    assert "rejected" not in status
    assert answered == {"" if row.always is CUSTOM else "1"}  # that server names no version


def test_it_goes_on_by_itself_once_the_quota_has_room(fleet: Fleet, held: dict[str, Held]):
    fleet["no-quota"].until(serving=fleet.versions["better"], summary="Serving")


def test_it_goes_on_by_itself_once_a_node_has_room(fleet: Fleet, held: dict[str, Held]):
    status = fleet["no-node"].until(serving="1", summary="Serving")
    assert status["serving"]["revision"] != held["no-node"].status["serving"]["revision"]


def test_it_serves_once_its_image_may_run(fleet: Fleet, held: dict[str, Held]):
    fleet.change("as-root", serving={"image": CUSTOM["image"]})
    fleet.apply()
    status = fleet["as-root"].until(serving="1", summary="Serving")
    assert status["serving"]["revision"] != held["as-root"].status["serving"]["revision"]


def test_another_version_serves_where_one_was_evicted_over_and_over(
    fleet: Fleet, held: dict[str, Held]
):
    fleet.point(("fills-its-disk", "better"))
    fleet["fills-its-disk"].until(serving=fleet.versions["better"], summary="Serving")


def test_a_deployment_of_somebody_else_in_the_place_of_a_slot_is_left_alone(fleet: Fleet):
    taken = fleet["taken"]
    fleet.kube.create(_foreign_deployment("taken-green", taken.namespace))
    before = as_written(fleet.kube.get("deployment", "taken-green", taken.namespace))
    fleet.point(("taken", "better"))
    status = taken.until(serving="1", summary="Stalled")
    assert condition_of(status, "Stalled")[:2] == ("True", "NameConflict")
    assert "taken-green" in condition_of(status, "Stalled")[2]
    assert condition_of(status, "Ready")[:2] == ("True", "Serving")
    assert as_written(fleet.kube.get("deployment", "taken-green", taken.namespace)) == before
    fleet.kube("delete", "deployment", "taken-green", f"-n={taken.namespace}")
    taken.until(serving=fleet.versions["better"], summary="Serving")


def test_a_service_of_somebody_else_with_its_name_is_left_alone(
    kube: Kube, versions: dict[str, str], room: str
):
    foreign = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "theirs", "namespace": room},
        "spec": {"selector": {"app": "something-else"}, "ports": [{"port": 80}]},
    }
    kube.create(foreign)
    before = as_written(kube.get("service", "theirs", room))
    fleet = Fleet(kube, versions, room)
    fleet.add("theirs")
    fleet.point(("theirs", "good"))
    fleet.apply()
    try:
        status = fleet["theirs"].until(summary="Stalled")
        assert condition_of(status, "Stalled")[:2] == ("True", "NameConflict")
        assert "theirs" in condition_of(status, "Stalled")[2]
        assert condition_of(status, "Ready")[0] == "False"
        assert as_written(kube.get("service", "theirs", room)) == before
        kube("delete", "service", "theirs", f"-n={room}")
        fleet["theirs"].until(serving="1", summary="Serving")
    finally:
        fleet.delete()


def as_written(thing: Object | None) -> Object:
    """What its owner wrote: not its status and revision, which Kubernetes may still add."""
    assert thing is not None
    fields = ("uid", "generation", "labels", "ownerReferences", "finalizers")
    return {"spec": thing["spec"]} | {key: thing["metadata"].get(key) for key in fields}


def _foreign_deployment(name: str, namespace: str) -> Object:
    labels = {"app": "something-else"}
    container = {"name": "main", "image": "localhost/pennant-serving:dev"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
