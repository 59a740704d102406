"""A strategy is a module of traffic/, a value of the definition, and in the reference of fields."""

import re
from pathlib import Path

import pytest

from pennant_operator.decide.seen.strategy import StrategyName
from pennant_operator.decide.traffic.strategies import STRATEGIES
from pennant_testing.memory.field_values import schema

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
FIELDS = (ROOT / "docs" / "fields.md").read_text()
CHOICE = (ROOT / "docs" / "strategies.md").read_text()
TRAFFIC = ROOT / "operator" / "pennant_operator" / "decide" / "traffic"


def strategies() -> set[str]:
    """The modules of traffic/ that hold a function of their own name."""
    modules = TRAFFIC.glob("*.py")
    return {path.stem for path in modules if f"\ndef {path.stem}(" in path.read_text()}


def test_a_strategy_is_a_module_a_value_of_the_definition_and_on_the_page():
    values = schema("modeldeployments", "rollout", "strategy")["enum"]
    snake = {re.sub(r"(?<=.)(?=[A-Z])", "_", value).lower(): value for value in values}
    assert strategies() == snake.keys()
    (row,) = re.findall(r"^\| `rollout\.strategy` \|.*$", FIELDS, re.MULTILINE)
    assert [value for value in values if f"`{value}`" not in row] == []


@pytest.mark.parametrize("name", StrategyName)
def test_the_page_promises_what_the_table_of_the_code_does(name: StrategyName):
    (row,) = re.findall(rf"^\| \[`{name}`\]\(#.*$", CHOICE, re.MULTILINE)
    _, room, stays, way_back, _ = (cell.strip() for cell in row.strip("|").split("|"))
    promise = STRATEGIES[name]
    assert (room, way_back) == (promise.room, promise.way_back)
    assert stays.startswith("yes" if promise.successor_first else "no")
