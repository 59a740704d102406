"""The command line as a process: what it imports, its exit codes, and its page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import pennant_cli
from pennant_cli.app import app
from pennant_cli.exit_codes import ExitCode

pytestmark = pytest.mark.contract

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
HEAVY = (
    "mlflow",
    "pandas",
    "numpy",
    "yaml",
    "requests",
    "pennant_serving",
    "rich.console",
    "kubernetes",
)


def pennant(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pennant_cli", *arguments]
    return subprocess.run(command, env=os.environ | variables, capture_output=True, text=True)


def test_nothing_heavy_is_imported_before_a_command_runs():
    code = f"import sys, pennant_cli.app; print(*({HEAVY!r} & sys.modules.keys()))"
    code = code.replace(repr(HEAVY), f"set({HEAVY!r})")
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == ""


@pytest.mark.parametrize(
    ("address", "problem"),
    [("/tmp/runs", "is /tmp/runs, a plain file store"), ("nosuch://x", "nosuch://x is none that")],
)
def test_what_cannot_be_done_ends_with_1_and_says_why_on_standard_error(address: str, problem: str):
    done = pennant("lock", "news/8", MLFLOW_TRACKING_URI=address)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"error: the tracking address {problem}" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_exit_code_is_documented():
    listed = re.findall(r"^    exit code (\d)", str(pennant_cli.__doc__), re.MULTILINE)
    assert listed == re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)
    assert listed == [str(code.value) for code in ExitCode]


def commands(of: typer.Typer, prefix: str) -> Iterator[str]:
    """Those of a program and of its groups, as one types them."""
    for command in of.registered_commands:
        yield f"{prefix} {command.name}"
    for group in of.registered_groups:
        assert group.typer_instance is not None
        named = isinstance(group.name, str)
        yield from commands(group.typer_instance, f"{prefix} {group.name}" if named else prefix)


def test_every_command_is_on_the_page():
    listed = {" ".join(each.split()) for each in re.findall(r"^\| `([a-z -]+)", PAGE, re.MULTILINE)}
    assert listed == set(commands(app, "pennant"))
