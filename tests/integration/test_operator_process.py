"""The operator's process comes and goes: on a real API server and MLflow; no kubelet runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pennant_testing.control_plane.audit_log import Audit
from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_process import ALONE, WRITES, Operator, operator
from pennant_testing.control_plane.operator_stage import CHILDREN, Stage
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration
POLLED = 'pennant_registry_last_success_timestamp_seconds{registry="default"}'


@pytest.fixture
def stage(objects: Objects, mlflow_url: str, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A namespace of the test's own; nothing in it is there for the next test's operators."""
    stage = Stage(objects, f"team-{abs(hash(request.node.name)) % 10**8}")
    stage.registry("default", mlflow_url)
    yield stage
    stage.clear()


@pytest.fixture
def mlflow(mlflow_url: str) -> Mlflow:
    return Mlflow(mlflow_url)


def polled(running: Operator, times: int) -> None:
    """Wait until the registry was asked so often since now."""
    began = until(lambda: running.metric(POLLED))
    until(lambda: running.metric(POLLED) > began + times)


def test_law_10_kopf_leaves_no_mark_and_deleting_needs_no_operator(
    operator_config: Path, stage: Stage, mlflow: Mlflow, tmp_path: Path
):
    objects, team = stage.objects, stage.namespace
    mlflow.promote("carts", mlflow.register("carts"))
    stage.apply("carts", "carts")
    with operator(operator_config, tmp_path) as running:
        until(lambda: stage.revisions("carts"))
        for kind in (*CHILDREN, "ModelDeployment"):
            for obj in objects.list(kind, team):
                assert not obj["metadata"].get("finalizers")
                assert "kopf" not in str(obj)
        assert running.stop() == 0, running.log.read_text()
    objects.delete("ModelDeployment", team, "carts")
    until(lambda: objects.get("ModelDeployment", team, "carts") is None)


def test_traffic_moves_to_ready_pods_and_a_restarted_operator_finds_nothing_to_do(
    operator_config: Path, stage: Stage, mlflow: Mlflow, tmp_path: Path
):
    objects, team = stage.objects, stage.namespace
    mlflow.promote("ships", mlflow.register("ships"))
    stage.apply("ships", "ships", replicas=2)

    def settled(version: str) -> bool:
        return stage.all_serve(version, ["ships"]) and len(objects.list("Pod", team)) == 2

    with operator(operator_config, tmp_path) as first:
        until(lambda: settled("1"))
        mlflow.promote("ships", mlflow.register("ships"))
        until(lambda: settled("2"))
        first.rests()
        assert first.stop() == 0
    revision = stage.views()["ships"].status["serving"]["revision"]
    assert stage.active("ships")["pennant.dev/active-revision"] == revision
    reasons = [event["reason"] for event in objects.list("Event", team)]
    assert reasons.count("TrafficMoved") == 2
    before = stage.versions()
    with operator(operator_config, tmp_path) as second:
        until(lambda: second.metric("pennant_reconcile_duration_seconds_count") > 0)
        polled(second, 3)
        assert stage.versions() == before
        assert second.metric(WRITES) == 0


def test_an_operator_that_is_killed_in_mid_rollout_again_and_again_ends_where_it_would_have(
    operator_config: Path, stage: Stage, mlflow: Mlflow, tmp_path: Path
):
    objects, team = stage.objects, stage.namespace
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
        with operator(operator_config, tmp_path, **ALONE) as started:
            until(reached)
            started.kill()
    with operator(operator_config, tmp_path):
        stage.serves("barges", "1")
    assert len(objects.list("ControllerRevision", team)) == 1
    assert sum(each["spec"]["replicas"] for each in stage.deployments("barges")) == 1


def test_a_restarted_operator_takes_nothing_back_that_it_has_told(
    operator_config: Path, stage: Stage, audit: Audit, mlflow: Mlflow, tmp_path: Path
):
    mlflow.register("rafts")
    mlflow.promote("rafts", mlflow.client.create_model_version("rafts", "s3://elsewhere/x").version)
    stage.apply("absent", "never-registered")
    stage.apply("elsewhere", "rafts")
    stage.apply("lost", "rafts", registry="nowhere")
    expected = {
        "absent": ("AliasInSync", "ModelNotFound"),
        "elsewhere": ("Stalled", "SourceNotAllowed"),
        "lost": ("Stalled", "RegistryNotFound"),
    }

    def as_expected() -> bool:
        seen = stage.views()
        return all(seen[name].reason(kind) == reason for name, (kind, reason) in expected.items())

    with operator(operator_config, tmp_path, **ALONE) as first:
        until(as_expected)
        first.rests()
        first.kill()
    since = audit.mark()
    with operator(operator_config, tmp_path) as second:
        until(lambda: second.metric("pennant_reconcile_duration_seconds_count") >= len(expected))
        polled(second, 1)
    assert not audit.writes(since)
