"""`kubectl pennant` as a program: what it imports, how it ends, and its page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pennant_cli.cluster.act_commands import acts
from pennant_cli.cluster.commands import program
from pennant_testing.folders import REPOSITORY

pytestmark = pytest.mark.contract

PAGE = (REPOSITORY / "docs" / "kubectl.md").read_text()
HEAVY = {"kubernetes", "mlflow", "yaml", "rich.console", "urllib3", "pennant_operator.decide.plan"}
NEVER = {"kopf", "aiohttp", "mlflow", "pandas"}


def python(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_nothing_heavy_is_imported_before_a_command_runs():
    assert (
        python(f"import sys, pennant_cli.cluster.commands; print(*{HEAVY!r} & {{*sys.modules}})")
        == ""
    )


def test_who_has_only_the_command_line_has_all_that_why_needs():
    rooms = "acting, answering, api, looking, registries, seeing, tree, watching"
    code = (
        f"import sys; from pennant_cli.cluster import {rooms}; print(*{NEVER!r} & {{*sys.modules}})"
    )
    assert python(code) == ""


def test_every_command_is_on_the_page():
    listed = re.findall(r"^\| `kubectl pennant ([a-z]+)", PAGE, re.MULTILINE)
    commands = (*program.registered_commands, *acts.registered_commands)
    assert sorted(listed) == sorted(str(each.name) for each in commands)


def test_kubectl_finds_it_by_its_name():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert project["scripts"]["kubectl-pennant"] == "pennant_cli.kubectl:main"


def test_without_a_kubeconfig_it_ends_with_1_and_says_what_to_name(tmp_path: Path):
    env = os.environ | {"KUBECONFIG": str(tmp_path / "none"), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "pennant_cli.kubectl", "why", "rec"]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert "see --kubeconfig, --context and KUBECONFIG" in done.stderr
