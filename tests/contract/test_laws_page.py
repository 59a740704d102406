"""docs/laws.md: every law has tests that hold it, and they are there."""

import re
from pathlib import Path

import pytest

from pennant_testing.memory import law_checks
from pennant_testing.node_ids import is_there, named_in

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
ROWS = re.findall(
    r"^\| (\d+) \| (.+?) \| (.+) \|$", (ROOT / "docs" / "laws.md").read_text(), re.MULTILINE
)
HELD = {int(number): re.findall(r"`([^`]+)`", tests) for number, _, tests in ROWS}


def test_all_thirteen_laws_are_there():
    assert list(HELD) == list(range(1, 14))


@pytest.mark.parametrize("law", HELD)
def test_every_law_is_held_by_tests_that_are_there(law):
    assert HELD[law]
    assert [test for test in HELD[law] if not is_there(test)] == []


def test_every_test_named_after_a_law_is_listed_with_it():
    named = [
        (int(test.split("_")[2]), f"{path.relative_to(ROOT)}::{test}")
        for path in (ROOT / "tests").rglob("test_*.py")
        for test in named_in(str(path.relative_to(ROOT)))
        if re.match(r"test_law_\d+_", test)
    ]
    assert [test for law, test in named if test not in HELD[law]] == []


def test_the_laws_that_are_checked_on_every_decision_are_those_that_are_said_to_be():
    modules = Path(law_checks.__file__).parent.glob("law_checks*.py")
    text = "".join(path.read_text() for path in modules)
    checked = re.findall(r'f?"law (\d+): ', text)
    assert {int(law) for law in checked} == {
        law for law, tests in HELD.items() if "tests/unit/test_laws.py::TestChaos" in tests
    }
