"""The names of the code: one word an idea, one class a name, and files that can be read at once."""

from __future__ import annotations

import ast
import functools
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
SOURCES = ("cli", "operator", "serving", "registry", "examples", "dev", "bench", "tests/support")
PACKAGES = (
    "cli/pennant_cli",
    "operator/pennant_operator",
    "serving/pennant_serving",
    "registry/pennant_registry",
    "examples/newsreco",
    "dev/pennant_dev",
    "bench/rollout",
    "bench/scale",
    "bench/serving",
    "tests/support/pennant_testing",
)
WORDS = {
    "told": "message, env, entry or event",
    "tell": "write, announce or what else is done",
    "tells": "is_..., or its noun",
    "said": "message, answer, response or output",
    "say": "write, print or what else is done",
    "says": "message, answer, response or output",
    "held": "hold, holder or lock (Held is a verdict, HELD its reason)",
    "holding": "holder, or what is held",
    "kept": "what is kept: records, versions, connections",
    "found": "match, entry, or its noun",
    "again": "retry, or its noun",
}
"""Lower case, without underscores around them -> what to write instead."""
VERDICT = {"Held", "HELD"}
CONSTANTS = {"PATIENCE", "PACE", "MOST", "FIRST", "EVERY", "PERIOD"}
LINES = 300
LONGER = {
    "tests/integration/test_operator_stories.py": "its stories share an API server and an MLflow",
    "tests/integration/test_registry_guarded.py": "its registries behind accounts are dear",
}
"""Tests that may have more lines, and why."""


def files(*folders: str) -> list[Path]:
    """The Python files below these folders that are part of the project."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [ROOT / name for name in listed.split("\0") if name.endswith(".py")]
    return [path for path in paths if path.exists()]


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of all that a module gives a name to."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name
            case ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield node.lineno, name


def instead(name: str) -> str | None:
    """What to call it; None for a name that may stay."""
    bare = name.strip("_")
    if bare in CONSTANTS:
        return "what it bounds, and its unit: DRAIN_SECONDS"
    return None if bare in VERDICT else WORDS.get(bare.lower())


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_is_named_by_a_word_that_means_too_much_to_be_searched_for(source):
    vague = [
        f"{path.relative_to(ROOT)}:{line}: {name}: name it {word}"
        for path in files(source)
        for line, name in names(parsed(path))
        if (word := instead(name)) is not None
    ]
    assert not vague, "\n".join(vague)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_two_classes_of_a_package_have_one_name(package):
    """Those within a function are its own."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in files(package):
        for node in parsed(path).body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert places
    twice = {name: where for name, where in places.items() if len(where) > 1}
    assert twice == {}


def test_every_file_is_short_but_for_tests_whose_servers_are_dear():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files()
        if (lines := len(path.read_text().splitlines())) > LINES
    }
    assert long.keys() == LONGER.keys(), long
