"""Every command that the page of the command line and its help show, run at one real registry."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from mlflow import MlflowClient

import pennant_registry
from pennant_cli.registry.commands import registry
from pennant_testing.command_line import typed

pytestmark = pytest.mark.integration

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
ROOMS = (registry,)
"""Whose commands need a registry and nothing else."""


def on_the_page() -> list[str]:
    blocks = re.findall(r"^```(?:sh|console)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    lines = (line.removeprefix("$ ") for block in blocks for line in block.splitlines())
    return [line for line in lines if line.startswith("pennant ")]


def example(help_text: str) -> str:
    return " ".join(help_text.partition("Example: ")[2].split())


def in_the_help(*rooms: typer.Typer) -> list[str]:
    commands = [command for room in rooms for command in room.registered_commands]
    return [example(str(command.callback and command.callback.__doc__)) for command in commands]


@pytest.fixture
def news(
    mlflow_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MlflowClient]:
    """A registry as the examples mean it: version 8 of `news` comes next, 7 is in production."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_url)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    monkeypatch.chdir(tmp_path)
    Path("gates.yaml").write_text("metrics: [{name: ndcg_at_10, min: '0.9'}]\n")
    Path("model").write_bytes(pickle.dumps("weights"))
    client = MlflowClient(mlflow_url)
    run = client.create_run("0").info.run_id
    client.log_artifact(run, "model")
    client.log_metric(run, "ndcg_at_10", 0.35)
    monkeypatch.setenv("RUN", run)
    for _ in range(7):
        pennant_registry.register(run, "model", "news")
    pennant_registry.promote(7, "news", "production")
    yield client
    client.delete_registered_model("news")


def test_every_command_that_the_page_shows_does_what_it_is_shown_for(news: MlflowClient):
    for line in on_the_page():
        done = typed(line)
        assert done.code == 0, f"{line}\n{done.err}"
    assert news.get_model_version_by_alias("news", "production").version == "8"


def test_every_example_of_the_help_does_what_it_is_shown_for(news: MlflowClient):
    lines = in_the_help(*ROOMS)
    assert all(lines)
    for line in lines:
        done = typed(line)
        assert done.code == 0, f"{line}\n{done.err}"
