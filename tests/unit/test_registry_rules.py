"""The pure rules of the registry library: gates, names, the record of a move, imports."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pennant_registry import MetricMin, Move, Version, names
from pennant_registry.environment import Environment
from pennant_registry.errors import InvalidNameError
from pennant_registry.gates import refusals
from pennant_registry.moves import promotion_of, rollback_of, tags_of
from pennant_registry.pointers import Alias, Stage, pointer

pytestmark = pytest.mark.unit

PRODUCTION = Alias("production")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def version(number: int = 2, **tags: str) -> Version:
    return Version("news-recommender", number, "run", "runs:/run/newsreco.pkl", tags)


def test_importing_the_library_imports_no_mlflow():
    code = (
        "import sys, pennant_registry; "
        "sys.exit(any(name.split('.')[0] == 'mlflow' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_metric_at_its_bound_passes():
    assert MetricMin("ndcg_at_10", min=0.30).refusal({"ndcg_at_10": 0.30}) is None


def test_a_refusal_names_metric_value_and_bound():
    said = MetricMin("ndcg_at_10", min=0.30).refusal({"ndcg_at_10": 0.2912})
    assert said == "metric ndcg_at_10 is 0.2912, and must be at least 0.3"


def test_a_metric_that_was_never_logged_is_refused_and_the_logged_ones_are_named():
    said = MetricMin("ndcg_at_10", min=0.30).refusal({"auc": 0.9})
    assert said is not None
    assert "not in the version's run (its metrics: auc)" in said


def test_a_metric_that_is_not_a_number_is_refused():
    assert MetricMin("auc", min=0.5).refusal({"auc": float("nan")}) is not None


def test_every_gate_that_refuses_is_reported():
    gates = [MetricMin("auc", 0.9), MetricMin("recall", 0.1), MetricMin("ndcg_at_10", 0.9)]
    said = refusals(gates, {"auc": 0.5, "recall": 0.5, "ndcg_at_10": 0.5})
    assert [line.split()[1] for line in said] == ["auc", "ndcg_at_10"]


@pytest.mark.parametrize("alias", ["production", "Champion-2", "a_b"])
def test_an_alias_that_mlflow_takes_has_no_problem(alias: str):
    assert names.alias_problem(alias) is None


@pytest.mark.parametrize("alias", ["", "a b", "a/b", "latest", "Latest", "v1", "V12", "x" * 256])
def test_an_alias_that_mlflow_refuses_is_named_in_the_problem(alias: str):
    problem = names.alias_problem(alias)
    assert problem is not None
    assert repr(alias) in problem


@pytest.mark.parametrize("version", [None, "1", "10", str(names.MOST_VERSION)])
def test_a_version_that_mlflow_may_have_has_no_problem(version: str | None):
    assert names.version_problem(version) is None


@pytest.mark.parametrize(
    "version", ["", "0", "07", "-1", "1.5", "v7", "\u0667", str(names.MOST_VERSION + 1), "9" * 19]
)
def test_a_version_that_no_mlflow_has_is_named_in_the_problem(version: str):
    problem = names.version_problem(version)
    assert problem is not None
    assert repr(version) in problem


@pytest.mark.parametrize("name", ["", "  ", "\u2028", "...", "a/b", "a:b", ".", "..", "../x"])
def test_a_model_name_that_mlflow_refuses_has_a_problem(name: str):
    assert names.model_name_problem(name) is not None


def test_a_model_name_may_have_spaces_and_dots():
    assert names.model_name_problem("News recommender v1.2") is None


@pytest.mark.parametrize("previous", [None, 1])
def test_a_promotion_reads_back_as_it_was_recorded(previous: int | None):
    move = Move(version=2, previous=previous, by="ana@host", at=NOON)
    assert promotion_of(version(2, **tags_of(move, PRODUCTION)), PRODUCTION) == move


def test_a_rollback_reads_back_from_the_version_that_was_left():
    move = Move(version=1, previous=2, by="ana@host", at=NOON, is_rollback=True)
    assert rollback_of(version(2, **tags_of(move, PRODUCTION)), PRODUCTION) == move


@pytest.mark.parametrize("other", [Alias("staging"), Stage("production")], ids=str)
def test_moves_of_different_aliases_and_stages_do_not_mix(other: Alias | Stage):
    move = Move(version=2, previous=1, by="ana@host", at=NOON)
    assert promotion_of(version(2, **tags_of(move, other)), PRODUCTION) is None


@pytest.mark.parametrize("stage", ["production", "Archived", "None", ""])
def test_a_stage_that_nothing_serves_from_is_refused_and_the_others_are_named(stage: str):
    with pytest.raises(InvalidNameError, match="use 'Staging' or 'Production'"):
        pointer("news", None, stage)


@pytest.mark.parametrize("both", [(None, None), ("production", "Production")])
def test_it_is_either_an_alias_or_a_stage(both: tuple[str | None, str | None]):
    with pytest.raises(InvalidNameError, match="either an alias or a stage"):
        pointer("news", *both)


def test_an_empty_model_path_is_no_mount():
    assert Environment.of({"PENNANT_MODEL_PATH": ""}).model_path is None
    assert Environment.of({"PENNANT_MODEL_PATH": "/models/bundle"}).model_path == Path(
        "/models/bundle"
    )


def test_the_registry_user_is_who_promotes():
    assert Environment.of({"MLFLOW_TRACKING_USERNAME": "ana"}).actor.startswith("ana@")
