"""`pennant serve`: what is to be served, what to do next, what a person is shown."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pennant_cli.app import app
from pennant_cli.exit_codes import CommandError
from pennant_cli.serve import server
from pennant_cli.serve.example import try_it
from pennant_cli.serve.order import Order
from pennant_cli.serve.steps import (
    Revision,
    Situation,
    Step,
    next_step,
    pause_seconds,
    still_refused,
)
from pennant_cli.serve.target import Target, target
from pennant_serving.lifecycle.phases import Phases

pytestmark = pytest.mark.unit

SEVEN, EIGHT, NINE = Revision(7), Revision(8), Revision(9)
URL = "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("news@production", Target("news", alias="production")),
        ("a@b@production", Target("a@b", alias="production")),
        ("news/8", Target("news", version=8)),
    ],
)
def test_what_is_served_is_named_by_an_alias_or_a_version(text: str, named: Target):
    assert target(text) == named
    assert str(named) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("news", "'news' names nothing to serve: write MODEL@ALIAS"),
        ("news@", "alias '' is refused by MLflow"),
        ("news@v2", "alias 'v2' is reserved"),
        ("@production", "model name is empty"),
        ("news/production", "version 'production' is no number"),
    ],
)
def test_what_names_nothing_is_refused_by_value(text: str, problem: str):
    with pytest.raises(typer.BadParameter, match=problem):
        target(text)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["news/8", "--follow"], "news/8 never moves"),
        (["news@production", "--poll", "often"], "'often' is not a duration"),
        (["news@production", "--poll", "0s"], "0 would ask all the time"),
    ],
)
def test_a_wrong_option_is_named(arguments: list[str], problem: str):
    done = CliRunner().invoke(app, ["serve", *arguments], env={"COLUMNS": "200"})
    assert (done.exit_code, done.stdout) == (2, "")
    assert problem in done.stderr


@pytest.mark.parametrize(
    ("now", "step"),
    [
        (Situation(), Step()),
        (Situation(desired=SEVEN), Step(load=SEVEN)),
        (Situation(desired=SEVEN, coming=SEVEN), Step()),
        (Situation(desired=SEVEN, serving=SEVEN, good=SEVEN), Step()),
    ],
)
def test_what_the_alias_points_at_is_loaded_once(now: Situation, step: Step):
    assert next_step(now) == step


def serving(**facts: Revision | None) -> Situation:
    return Situation(**({"desired": EIGHT, "serving": EIGHT, "good": EIGHT} | facts))


@pytest.mark.parametrize(
    ("now", "step"),
    [
        (serving(desired=NINE), Step(load=NINE)),
        (serving(desired=NINE, coming=NINE), Step()),
        (serving(desired=NINE, coming=SEVEN), Step(drop=True, load=NINE)),
        (serving(coming=NINE), Step(drop=True)),
        (serving(desired=NINE, refused=NINE), Step()),
        (serving(desired=NINE, paused=NINE), Step()),
        (serving(desired=None), Step()),
        (serving(desired=None, coming=NINE), Step(drop=True)),
    ],
)
def test_what_serves_goes_on_until_another_version_is_ready(now: Situation, step: Step):
    assert next_step(now) == step


@pytest.mark.parametrize(
    ("now", "step"),
    [
        (serving(serving=None), Step(load=EIGHT)),
        (serving(serving=None, paused=EIGHT), Step()),
        (serving(serving=None, desired=NINE), Step(load=NINE)),
        (serving(serving=None, desired=NINE, coming=NINE), Step()),
        (serving(serving=None, desired=NINE, refused=NINE), Step(load=EIGHT)),
        (serving(serving=None, desired=None), Step(load=EIGHT)),
        (serving(serving=None, refused=EIGHT), Step(load=EIGHT)),
    ],
)
def test_what_died_is_started_again_unless_another_version_is_wanted(now: Situation, step: Step):
    assert next_step(now) == step


def test_a_log_line_of_a_model_is_not_taken_for_the_servers_that_it_is_ready():
    assert Phases().line("ready").encode().startswith(server.READY)
    of_a_model = {"event": "ready", "timestamp": "2026-11-21T12:05:10Z", "level": "info"}
    assert server.READY not in json.dumps(of_a_model).encode()


def test_a_port_that_is_taken_is_named():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        order = Order(Target("news", alias="production"), "127.0.0.1", port, "auto", None)
        with pytest.raises(CommandError, match=f"--port {port}: Address already in use.*: give "):
            order.listen()


def test_where_the_server_is_not_installed_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server, "NEEDED", ("json", "no_such_package"))
    with pytest.raises(CommandError, match=r"no_such_package.* 'pennant\[cli,serving\]'"):
        server.check_installed()


def test_a_refusal_ends_when_the_alias_points_elsewhere():
    assert still_refused(NINE, NINE) == NINE
    assert still_refused(NINE, EIGHT) is None
    assert still_refused(NINE, None) is None


def test_pauses_grow_up_to_half_a_minute():
    assert [pause_seconds(count) for count in (1, 2, 3, 6, 2000)] == [1, 2, 4, 30, 30]


@pytest.mark.parametrize(
    ("example", "body"),
    [
        (
            {"dataframe_split": {"columns": ["a"], "data": [[1], [2]]}},
            '{"dataframe_split": {"columns": ["a"], "data": [[1]]}}',
        ),
        ({"inputs": [[1, 2], [3, 4]]}, '{"inputs": [[1, 2]]}'),
        ({"inputs": {"a": [1, 2]}}, '{"inputs": {"a": [1, 2]}}'),
    ],
)
def test_a_first_request_is_the_first_row_of_the_models_own_example(tmp_path, example, body):
    (tmp_path / "serving_input_example.json").write_text(json.dumps(example))
    header = "'Content-Type: application/json'"
    assert try_it(tmp_path, URL) == f"curl {URL}/invocations -H {header} -d '{body}'"


@pytest.mark.parametrize("example", [None, "no JSON", json.dumps({"inputs": ["x" * 500]})])
def test_without_a_short_example_the_servers_own_page_has_requests(tmp_path: Path, example):
    if example is not None:
        (tmp_path / "serving_input_example.json").write_text(example)
    assert try_it(tmp_path, URL) == f"{URL}/docs has requests to try"
