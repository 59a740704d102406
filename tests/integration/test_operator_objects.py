"""What an operator makes of the objects it finds, on a real API server; no kubelet runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pennant_testing.control_plane.objects import NAMESPACE, Objects
from pennant_testing.control_plane.operator_process import WRITES, Operator
from pennant_testing.control_plane.operator_stage import CHILDREN, Stage, View
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("default_registry")]
POLLED = 'pennant_registry_last_success_timestamp_seconds{registry="default"}'


@pytest.fixture
def stage(running: Operator, objects: Objects, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A namespace of the test's own; its ModelDeployments are gone for the next test."""
    stage = Stage(objects, f"team-{abs(hash(request.node.name)) % 10**8}")
    yield stage
    for name in stage.views():
        objects.delete("ModelDeployment", stage.namespace, name)


@pytest.fixture
def mlflow(mlflow_url: str) -> Mlflow:
    return Mlflow(mlflow_url)


def children(stage: Stage) -> list[dict]:
    return [child for kind in CHILDREN for child in stage.objects.list(kind, stage.namespace)]


def rolls_out(stage: Stage, name: str) -> str | None:
    """The version in the template of the Deployment that was told to have pods."""
    found = (d["spec"] for d in stage.deployments(name) if d["spec"].get("replicas"))
    metadata = (spec["template"]["metadata"] for spec in found)
    return next((m["annotations"]["pennant.dev/model-version"] for m in metadata), None)


def reason_of(stage: Stage, name: str, kind: str) -> str | None:
    """The reason of a condition; None while there is none."""
    return stage.views()[name].reason(kind)


def test_an_alias_brings_up_a_candidate_with_everything_around_it(stage: Stage, mlflow: Mlflow):
    version = mlflow.register("cars")
    mlflow.promote("cars", version)
    stage.apply("cars", "cars", replicas=2)
    assert until(lambda: rolls_out(stage, "cars")) == version
    until(lambda: {each["kind"] for each in children(stage)} == set(CHILDREN))  # one by one
    live = stage.views()["cars"].live
    for child in children(stage):
        (owner,) = child["metadata"]["ownerReferences"]
        assert owner["uid"] == live["metadata"]["uid"]
        assert owner["controller"] is True

    def registry() -> View:
        return View(stage.objects.get("ModelRegistry", NAMESPACE, "default") or {})

    until(lambda: registry().reason("Ready") == "Answering")
    assert registry().condition("Ready")["status"] == "True"


def test_an_idle_operator_writes_nothing(running: Operator, stage: Stage):
    stage.apply("waiting", "never-registered")
    until(lambda: reason_of(stage, "waiting", "AliasInSync") == "ModelNotFound")
    written, before = running.rests(), stage.versions()
    began = running.metric(POLLED)
    until(lambda: running.metric(POLLED) > began + 4)
    assert stage.versions() == before
    assert running.metric(WRITES) == written


def test_a_moved_alias_supersedes_the_candidate(stage: Stage, mlflow: Mlflow):
    first, second = mlflow.register("buses"), mlflow.register("buses")
    mlflow.promote("buses", first)
    stage.apply("buses", "buses")
    until(lambda: rolls_out(stage, "buses") == first)
    mlflow.promote("buses", second)

    def superseded() -> bool:
        stage.kubelet.hear()
        return rolls_out(stage, "buses") == second

    until(superseded)


ODD = "\U0001f600 <&> \x7f \u2028 \ufeff \\ud83d é"


def test_any_character_gets_into_the_pods_and_records_of_it_can_be_changed_by_others(
    stage: Stage, mlflow: Mlflow
):
    mlflow.promote("odd", mlflow.register("odd"))
    stage.apply("odd", "odd", suspend=True)
    env = [{"name": "ODD", "value": ODD}]
    odd = {"spec": {"suspend": False, "serving": {"env": env}}}
    stage.objects.patch("ModelDeployment", stage.namespace, "odd", odd)
    until(lambda: rolls_out(stage, "odd"))
    pods = [d["spec"]["template"]["spec"]["containers"][0] for d in stage.deployments("odd")]
    assert [each["value"] for each in pods[0]["env"] if each["name"] == "ODD"] == [ODD]
    (record,) = stage.objects.list("ControllerRevision", stage.namespace)
    name = record["metadata"]["name"]
    stage.objects.patch(record["kind"], stage.namespace, name, {"metadata": {"labels": {"a": "b"}}})


def test_an_object_that_is_not_ours_is_left_alone(stage: Stage, mlflow: Mlflow):
    mlflow.promote("ferries", mlflow.register("ferries"))
    foreign = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "ferries", "namespace": stage.namespace},
        "spec": {"ports": [{"port": 80}], "selector": {"app": "theirs"}},
    }
    stage.objects.apply(foreign)
    stage.apply("ferries", "ferries")
    until(lambda: reason_of(stage, "ferries", "Stalled") == "NameConflict")
    live = stage.objects.get("Service", stage.namespace, "ferries") or {}
    assert live["spec"]["selector"] == {"app": "theirs"}
    assert stage.deployments("ferries") == []


def test_created_again_under_its_name_it_waits_for_the_old_children_and_makes_its_own(
    running: Operator, stage: Stage, mlflow: Mlflow
):
    objects, team = stage.objects, stage.namespace
    mlflow.promote("kites", mlflow.register("kites"))
    stage.apply("kites", "kites")
    until(lambda: rolls_out(stage, "kites"))
    running.rests()
    objects.delete("ModelDeployment", team, "kites")
    until(lambda: objects.get("ModelDeployment", team, "kites") is None)
    stage.apply("kites", "kites")
    uid = stage.views()["kites"].live["metadata"]["uid"]

    def owners() -> set[str]:
        live = children(stage)
        uids = {child["metadata"]["ownerReferences"][0]["uid"] for child in live}
        return uids if {child["kind"] for child in live} == set(CHILDREN) else set()

    assert owners()
    assert uid not in owners()
    for child in children(stage):  # as the garbage collector would, which does not run here
        objects.delete(child["kind"], team, child["metadata"]["name"])
    until(lambda: owners() == {uid})


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"tolerations": [{"key": "models", "operator": "Sometimes"}]}, "tolerations[0].operator"),
        ({"affinity": {"nodeAffinities": {}}}, ".affinity.nodeAffinities: field not declared"),
    ],
    ids=["value", "field"],
)
def test_a_spec_that_the_api_server_refuses_is_told_on_the_object_until_it_is_mended(
    stage: Stage, mlflow: Mlflow, wrong: dict, named: str
):
    mlflow.promote("boats", mlflow.register("boats"))
    stage.apply("boats", "boats", serving=wrong)
    until(lambda: reason_of(stage, "boats", "Stalled") == "WriteRefused")
    assert named in stage.views()["boats"].condition("Stalled")["message"]
    stage.apply("boats", "boats", serving={"adapter": "sklearn"})
    until(lambda: rolls_out(stage, "boats"))
    until(lambda: reason_of(stage, "boats", "Stalled") == "NotStalled")
