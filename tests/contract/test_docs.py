"""The documentation says what the code does."""

import re
from pathlib import Path

import pytest

from pennant_operator.decide.candidate.faults import FAULTS, Fault
from pennant_operator.decide.vocabulary import Condition, Summary

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
CONCEPTS = (ROOT / "docs" / "concepts.md").read_text()


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


def test_every_link_of_the_readme_leads_somewhere():
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_pages_about_installing_lead_somewhere():
    """Headings too: GitHub's anchors are their words in lower case, with dashes."""
    for name in ("first-hour.md", "install.md", "fields.md", "registries.md", "security.md"):
        text = (ROOT / "docs" / name).read_text()
        for page, anchor in re.findall(r"\]\(([^)#:]*)#?([^):]*)\)", text):
            path = ROOT / "docs" / (page or name)
            assert path.exists(), (name, page)
            headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE) if anchor else []
            anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
            assert not anchor or anchor in anchors, (name, page, anchor)


def test_every_test_file_that_the_page_on_reliability_names_is_there():
    page = (ROOT / "docs" / "reliability.md").read_text()
    named = re.findall(r"`(?:tests/[\w/]*)?\b(\w+\.py)`", page)
    there = {path.name for path in (ROOT / "tests").rglob("*.py")}
    assert [name for name in named if name not in there] == []
