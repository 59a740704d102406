"""The command line as a process: what it imports, its exit codes, and its page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pennant_cli
from pennant_cli.app import app

pytestmark = pytest.mark.contract

PAGE = (Path(__file__).parents[2] / "docs" / "environment.md").read_text()
HEAVY = ("mlflow", "pandas", "numpy", "yaml", "requests", "pennant_serving", "asyncio")


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
    assert listed == re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE) == ["0", "1", "2"]


def test_every_command_is_on_the_page():
    groups = {group.name: group.typer_instance for group in app.registered_groups}
    commands = [f"pennant {command.name}" for command in app.registered_commands]
    for name, group in groups.items():
        commands += [f"pennant {name} {command.name}" for command in group.registered_commands]
    assert [each for each in commands if f"{each} news/8" not in PAGE] == []
