"""The layout that everything else relies on."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("folder", ["operator", "serving", "registry", "examples"])
def test_source_roots_are_not_packages(folder):
    """`operator/__init__.py` would shadow the standard library's `operator`."""
    assert not (ROOT / folder / "__init__.py").exists()


def test_no_package_under_tests():
    assert list((ROOT / "tests").rglob("__init__.py")) == []


@pytest.mark.parametrize(
    "name",
    ["operator", "serving", "manifests", "tests", "Dockerfile", "pyproject.toml", "Makefile"],
)
def test_the_tree_is_there(name):
    assert (ROOT / name).exists()
