"""What editors, hooks, forms and type checkers are told agrees with what the project enforces."""

from __future__ import annotations

import configparser
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
FORMS = {
    path.stem: yaml.safe_load(path.read_text())
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")
}


def editorconfig() -> configparser.ConfigParser:
    read = configparser.ConfigParser()
    read.read_string("[top]\n" + (ROOT / ".editorconfig").read_text())
    return read


def test_editors_break_lines_where_ruff_does():
    python = editorconfig()["*.py"]
    assert python["max_line_length"] == str(PROJECT["tool"]["ruff"]["line-length"])
    assert python["indent_size"] == "4"


def test_every_file_is_as_editors_are_told_to_leave_it():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    exempt = re.compile(r".*\.(txt|svg|binpb)|tests/golden/serving_corpus/.*")
    wrong = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if exempt.fullmatch(name) or not path.is_file() or not path.stat().st_size:
            continue
        text = path.read_bytes()
        if b"\r" in text or not text.endswith(b"\n") or re.search(rb"[ \t]$", text, re.MULTILINE):
            wrong.append(name)
    assert wrong == []


def test_a_commit_is_held_to_what_make_lint_asks_for_by_the_programs_of_the_lock():
    """The hooks have no versions of their own, and rewrite where `make lint` only looks."""
    (repository,) = HOOKS["repos"]
    assert repository["repo"] == "local"
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}
    hooked = [hook["entry"].replace(" --fix", "") for hook in repository["hooks"]]

    (recipe,) = re.findall(r"^lint:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    asked = recipe.replace("$(BIN)", ".venv/bin").replace(" --check", "").replace(" $(SOURCES)", "")
    assert hooked == [line.strip() for line in asked.splitlines()]

    (sources,) = re.findall(r"^SOURCES := (.*)$", MAKEFILE, re.MULTILINE)
    assert HOOKS["files"] == f"^({'|'.join(sources.split())})/"


def test_every_package_of_the_wheel_tells_type_checkers_that_it_is_typed():
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert len(packages) == 5
    assert [each for each in packages if not (ROOT / each / "py.typed").is_file()] == []


@pytest.mark.parametrize("name", ["bug", "feature"])
def test_a_form_asks_for_what_an_answer_needs(name: str):
    form = FORMS[name]
    assert {"name", "description", "body"} <= form.keys()
    fields = [each for each in form["body"] if each["type"] != "markdown"]
    assert len({each["id"] for each in fields}) == len(fields)

    labels = " ".join(each["attributes"]["label"] for each in fields)
    assert "kubectl get modelregistry" in labels
    assert "Versions" in labels
    assert ("kubectl describe mldep" in labels) is (name == "bug")


def test_what_the_page_on_security_and_the_forms_link_to_is_there():
    page = (ROOT / "SECURITY.md").read_text()
    linked = re.findall(r"\]\(([^)#:]+)[^)]*\)", page)
    forms = [each["attributes"]["value"] for form in FORMS.values() for each in form["body"][:1]]
    linked += re.findall(r"\]\(\.\./blob/main/([^)#]+)", " ".join(forms))
    assert {"SECURITY.md", "README.md", "docs/install.md"} <= set(linked)
    assert [link for link in linked if not (ROOT / link).exists()] == []
