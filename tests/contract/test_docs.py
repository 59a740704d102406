"""The documentation says what the code does."""

import re
from pathlib import Path

import pytest

from pennant_operator.decide.candidate.faults import FAULTS, Fault
from pennant_operator.decide.vocabulary import Condition, Summary

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
CONCEPTS = (ROOT / "docs" / "concepts.md").read_text()
PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/*.md"),
    *ROOT.glob("charts/*/README.md"),
    *ROOT.glob("examples/**/README.md"),
]


def test_the_table_of_faults_is_the_one_of_the_code():
    row = r"^\| `(\w+)` \| the (model|world) \| (rejected|held)\b.* \| (replaced|waited for) \|$"
    did = {Fault.MODEL: "rejected", Fault.WORLD: "held"}
    assert re.findall(row, CONCEPTS, re.MULTILINE) == [
        (str(reason), str(a.fault), did[a.fault], "replaced" if a.replace else "waited for")
        for reason, a in FAULTS.items()
    ]


@pytest.mark.parametrize("word", [*Condition, *Summary])
def test_every_condition_and_status_word_is_explained(word):
    assert str(word) in CONCEPTS


def anchors(page: Path) -> set[str]:
    """GitHub's of its headings: their words in lower case, with dashes."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    words = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", each.lower()) for each in headings)
    return {re.sub(r"[^\w -]", "", each).replace(" ", "-") for each in words}


def prose(page: Path) -> str:
    """Without its blocks of code."""
    return re.sub(r"^( *)```.*?^\1```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        name, _, anchor = target.partition("#")
        if not re.match("[a-z]+:", target):  # of another site
            there = page.parent / name if name else page
            assert there.exists(), target
            assert not anchor or anchor in anchors(there), target


def test_every_test_file_that_the_page_on_reliability_names_is_there():
    page = (ROOT / "docs" / "reliability.md").read_text()
    named = re.findall(r"`(?:tests/[\w/]*)?\b(\w+\.py)`", page)
    there = {path.name for path in (ROOT / "tests").rglob("*.py")}
    assert [name for name in named if name not in there] == []
