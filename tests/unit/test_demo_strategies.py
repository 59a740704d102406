"""The demo of a strategy asks for what the operator takes."""

import pytest

from pennant_dev.demo.strategies import PROMOTED, ROLLOUTS
from pennant_operator.decide.seen.strategy import parse_strategy

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", ROLLOUTS)
def test_a_demo_asks_for_its_strategy_and_says_what_it_does(name: str):
    assert parse_strategy({"strategy": name, **ROLLOUTS[name]}).name == name
    assert PROMOTED[name]
