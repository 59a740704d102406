"""The layout that everything else relies on."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("folder", ["cli", "operator", "serving", "registry", "examples"])
def test_source_roots_are_not_packages(folder):
    """`operator/__init__.py` would shadow the standard library's `operator`."""
    assert not (ROOT / folder / "__init__.py").exists()


def test_no_package_under_tests():
    """Modules of tests have no names of their own; what they share is a package like any other."""
    packages = {path.parent for path in (ROOT / "tests").rglob("__init__.py")}
    support = ROOT / "tests" / "support" / "pennant_testing"
    assert [each for each in packages if each != support and support not in each.parents] == []


def test_nothing_that_decides_asks_a_clock():
    """import-linter keeps out what reads a clock by its module; `datetime` does it by a method."""
    modules = (ROOT / "operator" / "pennant_operator" / "decide").rglob("*.py")
    asks = re.compile(r"\.(now|utcnow|today)\(")
    assert [path.name for path in modules if asks.search(path.read_text())] == []


@pytest.mark.parametrize(
    "name",
    [
        "cli",
        "operator",
        "serving",
        "manifests",
        "tests",
        "Dockerfile",
        "pyproject.toml",
        "Makefile",
    ],
)
def test_the_tree_is_there(name):
    assert (ROOT / name).exists()
