"""CONTRIBUTING.md: its paths and links lead somewhere, and every step of a recipe is held by tests.

Most are test_fields.py, test_reasons.py, test_adapters.py and test_troubleshooting.py.
"""

import re
from pathlib import Path

import pytest

from pennant_testing.node_ids import is_there

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
CODE = set(re.findall(r"`([^`\n]+)`", PAGE))
TESTS = sorted(each for each in CODE if "::" in each)
PATHS = sorted(
    each for each in CODE if re.fullmatch(r"[\w.-]+(/[\w.-]+)+|Makefile|\w+\.toml", each)
)
RECIPES = dict(re.findall(r"^### (.+?)\n(.*?)(?=^###|\Z)", PAGE, re.MULTILINE | re.DOTALL))
STEPS = [
    pytest.param(step, id=f"{recipe}, {number}")
    for recipe, text in RECIPES.items()
    for number, step in enumerate(re.split(r"^\d+\. ", text, flags=re.MULTILINE)[1:], 1)
]
KINDS = ("field", "reason", "metric", "adapter", "gate", "strategy", "law")


def anchors(text: str) -> set[str]:
    """Of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def test_there_is_a_recipe_for_each_thing_that_is_added_again_and_again():
    articles = {f"{'An' if kind[0] in 'aeiou' else 'A'} {kind}" for kind in KINDS}
    others = {"A reason of Events", "A setting of serving", "A value of the chart"}
    assert RECIPES.keys() == articles | others


@pytest.mark.parametrize("path", PATHS)
def test_every_path_is_there(path: str):
    assert list(ROOT.glob(path.replace("NAME", "*")))


@pytest.mark.parametrize("test", TESTS)
def test_every_test_is_there(test: str):
    assert is_there(test)


@pytest.mark.parametrize("step", STEPS)
def test_every_step_names_a_place_and_a_test_that_holds_it(step: str):
    what, *below = step.split("\n   - ")
    assert set(re.findall(r"`([^`\n]+)`", what)) & set(PATHS)
    assert [each for each in below if not set(re.findall(r"`([^`\n]+)`", each)) & set(TESTS)] == []
    assert below


def test_every_link_leads_somewhere():
    for page, anchor in re.findall(r"\]\((?!https:)([^)#]*)#?([^)]*)\)", PAGE):
        path = ROOT / (page or "CONTRIBUTING.md")
        assert path.is_file(), page
        assert not anchor or anchor in anchors(path.read_text()), (page, anchor)


def test_the_readme_leads_here():
    assert "](CONTRIBUTING.md)" in (ROOT / "README.md").read_text()
