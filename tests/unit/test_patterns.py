"""Which names a pattern with * stands for, whoever wrote the one and the other."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.registry.patterns import matches

pytestmark = pytest.mark.unit

FEW = st.text("ab*-", max_size=8)


def stands_for(pattern: str, name: str) -> bool:
    """As it is defined, tried letter by letter."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(stands_for(pattern[1:], name[n:]) for n in range(len(name) + 1))
    return name[:1] == pattern[0] and stands_for(pattern[1:], name[1:])


@given(pattern=FEW, name=FEW)
def test_a_star_stands_for_any_letters_and_anything_else_for_itself(pattern: str, name: str):
    assert matches(name, (pattern,)) == stands_for(pattern, name)


@given(st.lists(st.text(max_size=4), min_size=1, max_size=4), st.text(max_size=4))
def test_a_name_made_by_a_pattern_matches_it(parts: list[str], between: str):
    assert matches(between.join(parts), ("*".join(parts),))


@pytest.mark.parametrize("special", ["[a-z]", "a.c", "a?c", "(a|b)", "a\\c", "a\nc"])
def test_nothing_else_is_special(special: str):
    assert matches(special, (special,))
    assert not matches("abc", (special,))


def test_one_of_several_patterns_is_enough_and_none_is_not():
    assert matches("team-b", ("team-a", "*-b"))
    assert not matches("team-b", ())


def test_no_pattern_makes_the_operator_stand_still():
    """Steps are counted, not seconds: a machine may be busy."""
    steps = 0

    def count(*_: object) -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(count)
    try:
        assert not matches("-" * 250, ("*-" * 100 + "*prod",))
    finally:
        sys.setprofile(None)
    assert steps < 1000
