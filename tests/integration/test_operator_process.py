"""The operator's process against a real API server and a real MLflow server; no kubelet runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from audit import Audit
from mlflow_server import Mlflow
from objects import NAMESPACE, Objects
from operator_process import ALONE, WRITES, Operator, operator
from operator_stage import CHILDREN, Stage
from pretended_kubelet import PretendedKubelet
from waiting import until

from pennant_dev.controlplane import ControlPlane

pytestmark = pytest.mark.integration
POLLED = 'pennant_registry_last_success_timestamp_seconds{registry="default"}'


@pytest.fixture
def running(plane: ControlPlane, objects: Objects, tmp_path: Path) -> Iterator[Operator]:
    with operator(plane.kubeconfig, tmp_path) as started:
        yield started


@pytest.fixture
def team(objects: Objects, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own; its ModelDeployments are gone for the next test."""
    name = objects.namespace(f"team-{abs(hash(request.node.name)) % 10**8}")
    yield name
    for each in objects.list("ModelDeployment", name):
        objects.delete("ModelDeployment", name, each["metadata"]["name"])


def registry(objects: Objects, name: str, url: str, **spec: Any) -> None:
    objects.apply(
        {
            "apiVersion": "pennant.dev/v1alpha1",
            "kind": "ModelRegistry",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"url": url, "pollInterval": "1s", **spec},
        }
    )


def deployment(objects: Objects, namespace: str, name: str, model: str, **spec: Any) -> None:
    objects.apply(
        {
            "apiVersion": "pennant.dev/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "registry": "default",
                "model": {"name": model, "alias": "production"},
                "replicas": 2,
                **spec,
            },
        }
    )


def condition(obj: dict[str, Any] | None, kind: str) -> dict[str, Any]:
    conditions = (obj or {}).get("status", {}).get("conditions", ())
    return next((c for c in conditions if c["type"] == kind), {})


def told(
    objects: Objects, namespace: str, name: str, kind: str, of: str = "ModelDeployment"
) -> str | None:
    """The reason of a condition; None while there is none."""
    return condition(objects.get(of, namespace, name), kind).get("reason")


def candidate(objects: Objects, namespace: str, name: str) -> dict[str, Any] | None:
    """The Deployment that was told to have pods."""
    found = objects.list("Deployment", namespace, f"pennant.dev/deployment={name}")
    return next((d for d in found if d["spec"].get("replicas")), None)


def serves(deployment: dict[str, Any] | None) -> str | None:
    """The version in a Deployment's template."""
    if deployment is None:
        return None
    return deployment["spec"]["template"]["metadata"]["annotations"]["pennant.dev/model-version"]


def versions(objects: Objects, namespace: str) -> dict[str, str]:
    """Every object in a namespace and the operator's, with its resourceVersion."""
    kinds = (*CHILDREN, "ModelDeployment", "ModelRegistry", "Event")
    return {
        f"{kind} {where}/{o['metadata']['name']}": o["metadata"]["resourceVersion"]
        for kind in kinds
        for where in (namespace, NAMESPACE)
        for o in objects.list(kind, where)
    }


def test_an_alias_brings_up_a_candidate_with_everything_around_it(
    running: Operator, objects: Objects, team: str, mlflow_url: str
):
    mlflow = Mlflow(mlflow_url)
    registry(objects, "default", mlflow_url)
    version = mlflow.register("cars")
    mlflow.promote("cars", version)
    deployment(objects, team, "cars", "cars")
    found = until(lambda: candidate(objects, team, "cars"))
    assert serves(found) == version
    until(lambda: all(objects.list(kind, team) for kind in CHILDREN))  # one write after the other
    live = objects.get("ModelDeployment", team, "cars")
    children = [o for kind in CHILDREN for o in objects.list(kind, team)]
    for child in children:
        (owner,) = child["metadata"]["ownerReferences"]
        assert owner["uid"] == live["metadata"]["uid"]
        assert owner["controller"] is True
    until(lambda: told(objects, NAMESPACE, "default", "Ready", "ModelRegistry") == "Answering")
    ready = condition(objects.get("ModelRegistry", NAMESPACE, "default"), "Ready")
    assert ready["status"] == "True"


def test_law_10_kopf_leaves_no_mark_and_deleting_needs_no_operator(
    running: Operator, objects: Objects, team: str, mlflow_url: str
):
    mlflow = Mlflow(mlflow_url)
    registry(objects, "default", mlflow_url)
    mlflow.promote("carts", mlflow.register("carts"))
    deployment(objects, team, "carts", "carts")
    until(lambda: candidate(objects, team, "carts"))
    for kind in (*CHILDREN, "ModelDeployment"):
        for obj in objects.list(kind, team):
            assert not obj["metadata"].get("finalizers")
            assert "kopf" not in str(obj)
    running.stop()
    objects.delete("ModelDeployment", team, "carts")
    until(lambda: objects.get("ModelDeployment", team, "carts") is None)


def test_an_idle_operator_writes_nothing(
    running: Operator, objects: Objects, team: str, mlflow_url: str
):
    registry(objects, "default", mlflow_url)
    deployment(objects, team, "waiting", "never-registered")
    until(lambda: told(objects, team, "waiting", "AliasInSync") == "ModelNotFound")
    written, before = running.rests(), versions(objects, team)
    began = running.metric(POLLED)
    until(lambda: running.metric(POLLED) > began + 4)
    assert versions(objects, team) == before
    assert running.metric(WRITES) == written


def test_a_moved_alias_supersedes_the_candidate(
    running: Operator, objects: Objects, team: str, mlflow_url: str
):
    mlflow, kubelet = Mlflow(mlflow_url), PretendedKubelet(objects, team)
    registry(objects, "default", mlflow_url)
    first, second = mlflow.register("buses"), mlflow.register("buses")
    mlflow.promote("buses", first)
    deployment(objects, team, "buses", "buses")
    until(lambda: candidate(objects, team, "buses"))
    mlflow.promote("buses", second)

    def superseded() -> bool:
        kubelet.hear()
        return serves(candidate(objects, team, "buses")) == second

    until(superseded)


def test_traffic_moves_to_ready_pods_and_a_restarted_operator_finds_nothing_to_do(
    plane: ControlPlane, objects: Objects, team: str, mlflow_url: str, tmp_path: Path
):
    mlflow, kubelet = Mlflow(mlflow_url), PretendedKubelet(objects, team)
    registry(objects, "default", mlflow_url)
    mlflow.promote("ships", mlflow.register("ships"))
    deployment(objects, team, "ships", "ships", rollout={"bake": "1s"})

    def settled(version: str) -> bool:
        kubelet.work()
        live = objects.get("ModelDeployment", team, "ships")["status"]
        serving = live.get("serving", {}).get("version")
        return (serving, live.get("summary")) == (version, "Serving") and len(
            objects.list("Pod", team)
        ) == 2

    with operator(plane.kubeconfig, tmp_path) as first:
        until(lambda: settled("1"))
        mlflow.promote("ships", mlflow.register("ships"))
        until(lambda: settled("2"))
        first.rests()
        assert first.stop() == 0
    live = objects.get("ModelDeployment", team, "ships")
    active = objects.get("Service", team, "ships")["metadata"]["annotations"]
    assert active["pennant.dev/active-revision"] == live["status"]["serving"]["revision"]
    reasons = [event["reason"] for event in objects.list("Event", team)]
    assert reasons.count("TrafficMoved") == 2
    before = versions(objects, team)
    with operator(plane.kubeconfig, tmp_path) as second:
        until(lambda: second.metric("pennant_reconcile_duration_seconds_count") > 0)
        began = until(lambda: second.metric(POLLED))
        until(lambda: second.metric(POLLED) > began + 3)
        assert versions(objects, team) == before
        assert second.metric(WRITES) == 0


def test_an_operator_that_is_killed_in_mid_rollout_again_and_again_ends_where_it_would_have(
    plane: ControlPlane, objects: Objects, team: str, mlflow_url: str, tmp_path: Path
):
    mlflow, stage = Mlflow(mlflow_url), Stage(objects, team)
    stage.registry("default", mlflow_url)
    mlflow.promote("barges", mlflow.register("barges"))
    stage.apply("barges", "barges")

    def recorded() -> bool:
        return bool(objects.list("ControllerRevision", team))

    def has_pods() -> bool:
        return bool(stage.revisions("barges"))

    def has_traffic() -> bool:
        stage.look()
        return stage.active("barges").get("pennant.dev/active-slot", "none") != "none"

    for reached in (recorded, has_pods, has_traffic):
        with operator(plane.kubeconfig, tmp_path, **ALONE) as started:
            until(reached)
            started.kill()
    with operator(plane.kubeconfig, tmp_path):
        stage.serves("barges", "1")
    assert len(objects.list("ControllerRevision", team)) == 1
    assert sum(each["spec"]["replicas"] for each in stage.deployments("barges")) == 1


def test_a_restarted_operator_takes_nothing_back_that_it_has_told(
    operator_config: Path,
    objects: Objects,
    audit: Audit,
    team: str,
    mlflow_url: str,
    tmp_path: Path,
):
    mlflow, stage = Mlflow(mlflow_url), Stage(objects, team)
    stage.registry("default", mlflow_url)
    mlflow.register("rafts")
    mlflow.promote("rafts", mlflow.client.create_model_version("rafts", "s3://elsewhere/x").version)
    stage.apply("absent", "never-registered")
    stage.apply("elsewhere", "rafts")
    stage.apply("lost", "rafts", registry="nowhere")
    told = {
        "absent": ("AliasInSync", "ModelNotFound"),
        "elsewhere": ("Stalled", "SourceNotAllowed"),
        "lost": ("Stalled", "RegistryNotFound"),
    }

    def said() -> bool:
        seen = stage.views()
        return all(seen[name].reason(kind) == reason for name, (kind, reason) in told.items())

    with operator(operator_config, tmp_path, **ALONE) as first:
        until(said)
        first.rests()
        first.kill()
    since = audit.mark()
    with operator(operator_config, tmp_path) as second:
        until(lambda: second.metric("pennant_reconcile_duration_seconds_count") >= len(told))
        began = until(lambda: second.metric(POLLED))
        until(lambda: second.metric(POLLED) > began + 1)
    assert not audit.writes(since)


def test_an_object_that_is_not_ours_is_left_alone(
    running: Operator, objects: Objects, team: str, mlflow_url: str
):
    mlflow = Mlflow(mlflow_url)
    registry(objects, "default", mlflow_url)
    mlflow.promote("ferries", mlflow.register("ferries"))
    foreign = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "ferries", "namespace": team},
        "spec": {"ports": [{"port": 80}], "selector": {"app": "theirs"}},
    }
    objects.apply(foreign)
    deployment(objects, team, "ferries", "ferries")
    until(lambda: told(objects, team, "ferries", "Stalled") == "NameConflict")
    assert objects.get("Service", team, "ferries")["spec"]["selector"] == {"app": "theirs"}
    assert objects.list("Deployment", team) == []


def test_created_again_under_its_name_it_waits_for_the_old_children_and_makes_its_own(
    running: Operator, objects: Objects, team: str, mlflow_url: str
):
    mlflow = Mlflow(mlflow_url)
    registry(objects, "default", mlflow_url)
    mlflow.promote("kites", mlflow.register("kites"))
    deployment(objects, team, "kites", "kites")
    until(lambda: candidate(objects, team, "kites"))
    running.rests()
    objects.delete("ModelDeployment", team, "kites")
    until(lambda: objects.get("ModelDeployment", team, "kites") is None)
    deployment(objects, team, "kites", "kites")
    uid = objects.get("ModelDeployment", team, "kites")["metadata"]["uid"]

    def owners() -> set[str]:
        children = [child for kind in CHILDREN for child in objects.list(kind, team)]
        kinds = {child["kind"] for child in children}
        uids = {child["metadata"]["ownerReferences"][0]["uid"] for child in children}
        return uids if kinds == set(CHILDREN) else set()

    assert owners()
    assert uid not in owners()
    for kind in CHILDREN:  # as the garbage collector would, which does not run here
        for child in objects.list(kind, team):
            objects.delete(kind, team, child["metadata"]["name"])
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
    running: Operator, objects: Objects, team: str, mlflow_url: str, wrong: dict, named: str
):
    mlflow = Mlflow(mlflow_url)
    registry(objects, "default", mlflow_url)
    mlflow.promote("boats", mlflow.register("boats"))
    deployment(objects, team, "boats", "boats", serving=wrong)
    until(lambda: told(objects, team, "boats", "Stalled") == "WriteRefused")
    stalled = condition(objects.get("ModelDeployment", team, "boats"), "Stalled")
    assert named in stalled["message"]
    deployment(objects, team, "boats", "boats", serving={"adapter": "sklearn"})
    until(lambda: candidate(objects, team, "boats"))
    until(lambda: told(objects, team, "boats", "Stalled") == "NotStalled")


def test_an_unknown_registry_is_told_on_the_object(running: Operator, objects: Objects, team: str):
    deployment(objects, team, "lost", "cars", registry="nowhere")
    until(lambda: told(objects, team, "lost", "Stalled") == "RegistryNotFound")
    stalled = condition(objects.get("ModelDeployment", team, "lost"), "Stalled")
    assert f"kubectl -n {NAMESPACE}" in stalled["message"]


def test_sigterm_ends_it_cleanly(running: Operator):
    assert running.stop() == 0, running.log.read_text()
