"""The commands that move an alias: what they take, what they refuse, and by which exit code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer

from pennant_cli.exit_codes import CommandError, ExitCode, exit_code
from pennant_cli.pointer_names import PointerName, pointer_name, pointer_of
from pennant_cli.registry.gate_options import gates_of
from pennant_cli.registry.times import moment, until
from pennant_registry.errors import (
    AliasMovedError,
    GateRefusedError,
    InvalidNameError,
    OnHoldError,
    RolloutRejectedError,
    RolloutTimeoutError,
)
from pennant_registry.gates import parse
from pennant_testing.command_line import pennant

pytestmark = pytest.mark.unit


def test_an_alias_is_named_as_mlflow_does_and_a_stage_beside_its_model():
    assert pointer_name("news@production", None) == PointerName("news", "production", None)
    assert pointer_name("a@b@live", None) == PointerName("a@b", "live", None)
    assert pointer_name("a@b", "Production") == PointerName("a@b", None, "Production")
    assert pointer_of("news", "live", None).written == "news@live"
    assert pointer_of("news", None, "Staging").written == "news --stage Staging"
    assert pointer_of("my news; ls", "live", None).written == "'my news; ls@live'"
    assert pointer_of("my news", None, "Staging").written == "'my news' --stage Staging"
    assert str(pointer_of("news", None, "Staging")) == "stage Staging of news"


@pytest.mark.parametrize(
    ("text", "stage", "problem"),
    [
        ("news", None, "'news' names no alias: write MODEL@ALIAS, such as news@production"),
        ("news@v8", None, "alias 'v8' is reserved by MLflow"),
        ("news@a b", None, "alias 'a b' is refused by MLflow"),
        ("@production", None, "model name is empty"),
        ("team/news@production", None, "contains '/'"),
        ("news", "Archived", "stage 'Archived' is none to serve from"),
    ],
)
def test_what_names_no_alias_is_refused_by_value(text: str, stage: str | None, problem: str):
    with pytest.raises(typer.BadParameter, match=problem):
        pointer_name(text, stage)


@pytest.mark.parametrize(("alias", "stage"), [(None, None), ("live", "Production")])
def test_one_of_an_alias_and_a_stage_is_given(alias: str | None, stage: str | None):
    with pytest.raises(typer.BadParameter, match="give either --alias or --stage"):
        pointer_of("news", alias, stage)


def test_bounds_are_typed_and_come_behind_those_of_a_file(tmp_path: Path):
    file = tmp_path / "gates.yaml"
    file.write_text("metrics: [{name: auc, maxDrop: '1%'}]\nflavors: [sklearn]\n")
    metrics = [
        {"name": "auc", "maxDrop": "1%"},
        {"name": "ndcg_at_10", "min": "0.30"},
        {"name": "ms", "max": "-1"},
    ]
    typed = ["ndcg_at_10>=0.30", " ms <= -1 "]
    assert gates_of(typed, file) == parse({"metrics": metrics, "flavors": ["sklearn"]})
    assert gates_of(None, None) == parse({})


def test_gates_are_taken_from_a_whole_model_deployment(tmp_path: Path):
    file = tmp_path / "news.yaml"
    file.write_text("kind: ModelDeployment\nspec: {gates: {tags: [{key: approved}]}}\n")
    assert gates_of(None, file) == parse({"tags": [{"key": "approved"}]})
    file.write_text("kind: ModelDeployment\n")
    assert gates_of(None, file) == parse({})


@pytest.mark.parametrize(
    "bound", ["auc", "auc>0.3", "auc=0.3", ">=0.3", "auc>=", "auc>=high", "auc>=0,3", "auc>==0.3"]
)
def test_what_is_no_bound_is_refused_with_what_one_looks_like(bound: str):
    with pytest.raises(typer.BadParameter, match=r"is no bound: write METRIC|decimal in quotes"):
        gates_of([bound], None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "cannot be read"),
        ("{", "cannot be read"),
        ("- auc", "holds no mapping: write metrics, tags"),
        ("{kind: ModelDeployment, spec: mine}", "holds no mapping: write metrics, tags"),
        ("metrics: 5", "metrics is 5: write a list"),
        ("metrics: [{name: auc, min: 0.3}]", r"metrics\[0\].min is 0.3: write a decimal in quotes"),
        ("metric: []", "is 'metric': its keys are metrics"),
    ],
)
def test_a_file_that_holds_no_gates_is_refused_by_its_name(
    text: str | None, problem: str, tmp_path: Path
):
    file = tmp_path / "gates.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(typer.BadParameter, match=problem) as refused:
        gates_of(["auc>=1"], file)
    assert "gates.yaml" in str(refused.value)


def test_a_time_is_a_moment_or_how_long_it_is_until_then():
    assert moment("2026-12-01T08:00Z") == datetime(2026, 12, 1, 8, tzinfo=UTC)
    assert moment("2026-12-01T08:00+02:00") == datetime(2026, 12, 1, 6, tzinfo=UTC)
    assert moment("2026-12-01").tzinfo is UTC
    assert until("2026-12-01T08:00Z") == moment("2026-12-01T08:00Z")
    before = datetime.now(UTC)
    assert timedelta(0) <= until("2h") - before - timedelta(hours=2) < timedelta(minutes=5)
    for text in ("tomorrow", "2", "", "9999-99-99"):
        with pytest.raises(typer.BadParameter, match="is no time: write such as 2026-12-01T08:00Z"):
            until(text)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GateRefusedError("no"), ExitCode.REFUSED),
        (OnHoldError("no"), ExitCode.REFUSED),
        (RolloutRejectedError("no"), ExitCode.REFUSED),
        (RolloutTimeoutError("no"), ExitCode.FAILED),
        (InvalidNameError("no"), ExitCode.USAGE),
        (AliasMovedError("no"), ExitCode.FAILED),
        (CommandError("no"), ExitCode.FAILED),
        (CommandError("no", ExitCode.USAGE), ExitCode.USAGE),
    ],
)
def test_a_pipeline_can_tell_a_refusal_from_a_failure(error: Exception, code: ExitCode):
    assert exit_code(error) is code


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (["promote", "news/8"], "give either --alias or --stage"),
        (["promote", "news", "--alias", "live"], "names no version"),
        (["promote", "news/8", "--alias", "live", "--gate", "auc"], "is no bound"),
        (["promote", "news/8", "--alias", "live", "--wait", "long"], "'long' is not a duration"),
        (["promote", "news/8", "--alias", "live", "--where", "a/b/c"], "give wait too"),
        (["rollback", "news"], "names no alias"),
        (["history", "news@live", "--at", "noon"], "is no time"),
        (["hold", "news@live"], "--reason"),
        (["hold", "news@live", "--reason", "x", "--until", "soon"], "is no time"),
        (["release", "news@live", "--version", "0"], "--version"),
        (["history", "news@latest"], "is reserved by MLflow"),
        (["register", "run", "model", "news", "--tag", "approved"], "is no tag: write KEY=VALUE"),
    ],
)
def test_who_calls_it_wrongly_reads_which_argument_it_was(line: list[str], problem: str):
    done = pennant(*line)
    assert (done.code, done.out) == (2, "")
    assert problem in " ".join(done.err.replace("│", " ").split())
