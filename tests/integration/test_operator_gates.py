"""Gates of a real operator over a real MLflow: held until somebody says yes, or logs better."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

import pennant_registry
from pennant_cli.decisions.audit import audit
from pennant_cli.decisions.log_lines import LogReader
from pennant_cli.decisions.moment import asked
from pennant_cli.decisions.replay import replay
from pennant_testing.control_plane.objects import Objects
from pennant_testing.control_plane.operator_process import Operator, operator
from pennant_testing.control_plane.operator_stage import Stage, View
from pennant_testing.mlflow.mlflow_server import Mlflow
from pennant_testing.waiting import until

pytestmark = pytest.mark.integration


@dataclass
class Gated:
    """A model of two versions, the first of them promoted."""

    stage: Stage
    mlflow: Mlflow
    name: str
    running: Operator

    def held(self) -> dict[str, str]:
        """What each gate says, once one holds."""
        until(lambda: self.view().status.get("gates") and "known yet" not in str(self.view()))
        return {each["gate"]: each["result"] for each in self.view().status["gates"]}

    def view(self) -> View:
        return self.stage.view(self.name)

    def log(self, version: str, **metrics: float) -> None:
        run = self.mlflow.client.get_model_version(self.name, version).run_id
        for name, value in metrics.items():
            self.mlflow.client.log_metric(run, name, value)


@pytest.fixture
def gated(
    objects: Objects, operator_config: Path, mlflow_url: str, tmp_path: Path
) -> Iterator[Gated]:
    name = f"m{uuid4().hex[:8]}"
    stage, mlflow = Stage(objects, f"gates-{name}"), Mlflow(mlflow_url)
    stage.registry("default", mlflow_url, pollInterval="1s")
    for _ in range(2):
        mlflow.register(name)
    mlflow.promote(name, "1")
    with operator(operator_config, tmp_path, PENNANT_DECISIONS="full") as running:
        yield Gated(stage, mlflow, name, running)
        objects.delete("ModelDeployment", stage.namespace, name)


def test_a_version_is_held_until_it_is_approved(gated: Gated):
    gated.stage.apply(gated.name, gated.name, gates={"tags": [{"key": "approved"}]})
    assert gated.held() == {"tags.approved": "Failed"}
    assert gated.stage.deployments(gated.name) == []
    gated.mlflow.client.set_model_version_tag(gated.name, "1", "approved", "true")
    gated.stage.serves(gated.name, "1")
    assert "gates" not in gated.view().status


def test_a_worse_version_is_held_against_the_one_that_serves_and_going_back_is_not(gated: Gated):
    gated.log("1", auc=0.9)
    gated.log("2", auc=0.7)
    gates = {"metrics": [{"name": "auc", "maxDrop": "0.01"}]}
    gated.stage.apply(gated.name, gated.name, gates=gates)
    gated.stage.serves(gated.name, "1")
    gated.mlflow.promote(gated.name, "2")
    assert gated.held() == {"metrics.auc.maxDrop": "Failed"}
    assert gated.view().serving == "1"
    gated.mlflow.promote(gated.name, "1")
    gated.stage.serves(gated.name, "1")
    gated.mlflow.promote(gated.name, "2")
    gated.held()
    gated.log("2", auc=0.95)
    gated.stage.serves(gated.name, "2")


def test_what_it_decided_is_made_anew_from_its_standard_output(
    gated: Gated, mlflow_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_url)
    gated.log("2", auc=0.9)
    gated.stage.apply(gated.name, gated.name, gates={"metrics": [{"name": "auc", "max": "1"}]})
    gated.held()
    pennant_registry.promote(2, gated.name, "production")
    gated.stage.serves(gated.name, "2")
    assert gated.running.stop() == 0
    log = LogReader([str(gated.running.log)])
    assert audit(log).findings == []
    report = replay(log)
    assert (report.others, report.unreadable) == ([], [])
    assert report.same
    question = asked("9999-12-31", f"{gated.stage.namespace}/{gated.name}")
    list(question.seeing(log))
    answer = question.answer()
    (mover,) = (move.by for move in pennant_registry.history(gated.name, "production"))
    assert (answer["version"], answer["movedBy"]) == ("2", mover)
    assert [(gate["gate"], gate["value"]) for gate in answer["gates"]] == [
        ("metrics.auc.max", "0.9")
    ]
