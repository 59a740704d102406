"""The registry library with the stages of MLflow 2, on real servers of both majors."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

import pennant_registry
from pennant_registry import MetricMin, errors
from pennant_testing.mlflow.mlflow_server import mlflow2

pytestmark = pytest.mark.integration

STAGE = "Production"


def stages(client: MlflowClient, name: str) -> dict[int, str]:
    """The stage of every version."""
    versions = client.search_model_versions(f"name='{name}'")
    return {int(version.version): version.current_stage for version in versions}


def by_hand(client: MlflowClient, name: str, number: int) -> None:
    """Moves a version to Production beside what is in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        client.transition_model_version_stage(name, str(number), STAGE)


def serving(name: str) -> int | None:
    resolved = pennant_registry.resolve(name, stage=STAGE)
    return resolved.version if resolved else None


def test_a_promoted_version_is_the_stages_only_one_and_loads(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    assert pennant_registry.load_production(name, stage=STAGE) is None
    first, second = registered("one"), registered("two")
    assert pennant_registry.load_production(name, stage=STAGE) is None
    pennant_registry.promote(first, name, stage=STAGE)
    move = pennant_registry.promote(second, name, stage=STAGE)
    assert (move.previous, move.version) == (1, 2)
    assert stages(client, name) == {1: "Archived", 2: "Production"}
    assert pennant_registry.load_production(name, stage=STAGE) == "two"


def test_rolling_back_archives_the_newer_version(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    for content in ("one", "two", "three"):
        pennant_registry.promote(registered(content), name, stage=STAGE)
    pennant_registry.rollback(name, stage=STAGE)
    assert stages(client, name) == {1: "Archived", 2: "Production", 3: "Archived"}
    pennant_registry.rollback(name, stage=STAGE)
    assert pennant_registry.load_production(name, stage=STAGE) == "one"
    records = [(m.previous, m.version) for m in pennant_registry.history(name, stage=STAGE)]
    assert records == [(2, 1), (3, 2), (2, 3), (1, 2), (None, 1)]


def test_of_versions_that_compete_the_highest_serves_and_rolling_back_leaves_the_next(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    for content in ("one", "two"):
        by_hand(client, name, registered(content))
    assert serving(name) == 2
    pennant_registry.rollback(name, stage=STAGE)
    assert stages(client, name) == {1: "Production", 2: "Archived"}
    with pytest.raises(errors.NothingToRollBackError, match="stage Production"):
        pennant_registry.rollback(name, stage=STAGE)


def test_promoting_a_lower_version_makes_it_serve_at_once(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    first, second = registered("one"), registered("two")
    pennant_registry.promote(second, name, stage=STAGE)
    pennant_registry.promote(first, name, stage=STAGE)
    assert serving(name) == first
    by_hand(client, name, second)
    assert serving(name) == second
    made = pennant_registry.promote(second, name, stage=STAGE)
    assert stages(client, name) == {1: "Archived", 2: "Production"}
    assert made.previous is None  # as it was recorded when it first got the stage


def test_an_alias_and_a_stage_keep_records_of_their_own(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    first, second = registered("one"), registered("two")
    pennant_registry.promote(first, name, "Production")
    pennant_registry.promote(second, name, stage="Production")
    assert len(pennant_registry.history(name, "Production")) == 1
    assert len(pennant_registry.history(name, stage="Production")) == 1
    assert serving(name) == 2
    assert pennant_registry.load_production(name, "Production") == "one"


def test_a_gate_that_refuses_moves_nothing(
    client: MlflowClient, registered: Callable[..., int], name: str
):
    number = registered(metrics={"auc": 0.4})
    with pytest.raises(errors.GateRefusedError, match=r"auc is 0\.4"):
        pennant_registry.promote(number, name, gates=[MetricMin("auc", 0.5)], stage=STAGE)
    assert stages(client, name) == {1: "None"}


LOG_AND_REGISTER = """
import sys, mlflow
from sklearn.linear_model import LogisticRegression
mlflow.set_tracking_uri(sys.argv[1])
with mlflow.start_run():
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    named = {"registered_model_name": sys.argv[2], "pip_requirements": ["scikit-learn"]}
    mlflow.sklearn.log_model(model, "model", **named)
"""


# MLflow warns of its own type hints when `mlflow.pyfunc` is imported, and of other versions.
@pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning")
@pytest.mark.parametrize("client", ["mlflow2_url"], indirect=True)
def test_a_model_that_mlflow_2_logged_and_registered_itself_loads(
    client: MlflowClient, name: str, tmp_path: Path
):
    logged = [mlflow2(), "-c", LOG_AND_REGISTER, client.tracking_uri, name]
    subprocess.run(logged, check=True, cwd=tmp_path, capture_output=True, timeout=120)
    pennant_registry.promote(1, name, stage=STAGE)
    assert pennant_registry.load_production(name, stage=STAGE).predict([[5.0]]).tolist() == [1]
    run = client.get_model_version(name, "1").run_id
    assert pennant_registry.register(run, "model", name) == 2
