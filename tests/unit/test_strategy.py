"""How a registry is asked about its models: by server, by how many, and by what costs least."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.observe.mlflow.filters import (
    FILTER_CHARACTERS_LIMIT,
    FILTER_NAMES_LIMIT,
    filters,
    quotable,
)
from pennant_operator.observe.poll.strategy import Strategy, strategy

pytestmark = pytest.mark.unit


def names(count: int) -> list[str]:
    return [f"m{number:04}" for number in range(count)]


ONE_BY_ONE, SEARCH, WALK = "one by one", "search for these", "walk through all"


def how(choice: Strategy) -> str:
    if not choice.listed:
        return ONE_BY_ONE
    return WALK if choice.walk else SEARCH


@pytest.mark.parametrize(
    ("version", "watched", "size", "expected"),
    [
        ("3.17.2", 1, 0, ONE_BY_ONE),
        ("3.17.2", 3, 5000, ONE_BY_ONE),
        ("3.17.2", 4, 5000, SEARCH),
        ("3.17.2", 300, 300, SEARCH),  # a single one
        ("3.17.2", 301, 301, WALK),
        ("3.18.0", 1000, 1100, WALK),
        ("3.18.0", 1000, 1101, SEARCH),
        ("4.0.0rc1", 5000, 5001, WALK),
        ("3.18.0", 5000, 0, WALK),
        ("3.16.1", 3, 3, ONE_BY_ONE),
        ("3.16.1", 4, 0, WALK),  # how large the registry is, only a walk tells
        ("3.16.1", 55, 1000, ONE_BY_ONE),
        ("3.16.1", 56, 1000, WALK),
        ("2.22.5", 55, 1000, ONE_BY_ONE),
        ("2.22.5", 249, 1000, ONE_BY_ONE),
        ("2.22.5", 250, 1000, WALK),
        ("", 250, 1000, WALK),
    ],
)
def test_the_cheapest_way_is_taken(version: str, watched: int, size: int, expected: str):
    assert how(strategy(names(watched), version, size)) == expected


@given(
    models=st.sets(st.text(min_size=1, max_size=8), max_size=12),
    version=st.sampled_from(["", "2.22.5", "3.16.1", "3.17.2"]),
    size=st.integers(0, 500),
)
def test_every_model_is_asked_about_once_and_only_quotable_ones_stand_in_a_filter(
    models: set[str], version: str, size: int
):
    found = strategy(models, version, size)
    assert sorted((*found.singly, *found.listed)) == sorted(models)
    assert all(quotable(name) for name in found.listed)
    assert not found.walk or found.walk >= size


@given(
    watched=st.integers(0, 400),
    version=st.sampled_from(["", "2.22.5", "3.16.1", "3.17.2"]),
    size=st.integers(0, 8000),
)
def test_a_walk_that_was_given_up_is_not_begun_again(watched: int, version: str, size: int):
    walk = strategy(names(watched), version, size).walk
    assert not walk or strategy(names(watched), version, walk + 1).walk == 0


@given(st.lists(st.text("abcäж模 ", min_size=1, max_size=50), unique=True, max_size=400))
def test_a_filter_is_short_enough_for_a_request_line(models: list[str]):
    asked = [each["filter"] for each in filters(models)]
    assert all(
        len(quote(each, safe="',")) < FILTER_CHARACTERS_LIMIT + 50 * 9 + FILTER_NAMES_LIMIT + 40
        for each in asked
    )
    assert sum(each.count("'") for each in asked) == 2 * len(models)
