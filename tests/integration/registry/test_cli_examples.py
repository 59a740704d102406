"""Every command that the page of the command line and its help show, run at one real registry."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import mlflow.sklearn
import pandas as pd
import pytest
import typer
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression

import pennant_registry
from pennant_cli.checks.commands import checks
from pennant_cli.registry.commands import registry
from pennant_testing.command_line import typed
from pennant_testing.shown_commands import ShownCommand, shown_commands

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:Operation with range"),  # MLflow's, by pandas
]

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"
ROOMS = (checks, registry)
"""Whose commands need a registry and nothing else."""
OF_OTHERS = re.compile(r"ok +(models|aliases|webhooks?) |warning +webhook")
"""Lines that other tests at this server have a part in."""
DATA = pd.DataFrame({"age": [1.0, 2.0, 3.0, 4.0], "clicks": [4.0, 3.0, 2.0, 1.0]})


def on_the_page() -> list[ShownCommand]:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    lines = [ShownCommand(line, "") for block in blocks for line in block.splitlines()]
    return [*lines, *shown_commands(PAGE)]


def example(help_text: str) -> str:
    return " ".join(help_text.partition("Example: ")[2].split())


def in_the_help(*rooms: typer.Typer) -> list[str]:
    commands = [command for room in rooms for command in room.registered_commands]
    return [example(str(command.callback and command.callback.__doc__)) for command in commands]


def logged(
    client: MlflowClient, folder: Path, ndcg: float, columns: list[str], requirements: list[str]
) -> str:
    """The id of a run that has logged a model of these columns as `model`."""
    run = client.create_run("0").info.run_id
    rows = DATA[columns]
    model = LogisticRegression(C=len(columns)).fit(rows, [0, 0, 1, 1])
    mlflow.sklearn.save_model(
        model,
        folder,
        signature=infer_signature(rows, model.predict(rows)),
        input_example=rows.head(2),
        pip_requirements=requirements,
    )
    client.log_artifacts(run, str(folder), "model")
    client.log_metric(run, "ndcg_at_10", ndcg)
    client.log_param(run, "C", len(columns))
    return str(run)


@pytest.fixture
def news(
    mlflow_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MlflowClient]:
    """A registry as the examples mean it: of eight versions of `news`, 7 is in production."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_url)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    monkeypatch.chdir(tmp_path)
    Path("gates.yaml").write_text("metrics: [{name: ndcg_at_10, min: '0.9'}]\n")
    client = MlflowClient(mlflow_url)
    older = logged(client, tmp_path / "older", 0.31, ["age"], ["scikit-learn"])
    newer = logged(client, tmp_path / "newer", 0.35, [*DATA], ["scikit-learn", "numpy>=2"])
    monkeypatch.setenv("RUN", newer)
    client.create_registered_model("news")
    for _ in range(6):
        client.create_model_version("news", f"runs:/{older}/model", older)
    pennant_registry.register(older, "model", "news")
    pennant_registry.promote(7, "news", "production")
    yield client
    client.delete_registered_model("news")


def shape(output: str) -> list[list[str]]:
    """Its words by line, whatever hashes and addresses are, and whatever else is registered."""
    lines = (line for line in output.splitlines() if not OF_OTHERS.match(line))
    return [re.sub(r"[0-9a-f]{12,}|http://\S+", "#", line).split() for line in lines]


def test_every_command_that_the_page_shows_does_and_prints_what_is_shown(news: MlflowClient):
    for command, output in on_the_page():
        done = typed(command)
        assert done.code == 0, f"{command}\n{done.err}"
        assert not output or shape(done.out) == shape(output), f"{command}\n{done.out}"
    assert news.get_model_version_by_alias("news", "production").version == "8"


def test_every_example_of_the_help_does_what_it_is_shown_for(news: MlflowClient):
    pennant_registry.register(os.environ["RUN"], "model", "news")
    lines = in_the_help(*ROOMS)
    assert all(lines)
    for line in lines:
        done = typed(line)
        assert done.code == 0, f"{line}\n{done.out}{done.err}"
