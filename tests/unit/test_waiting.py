"""Waiting goes on while something goes on, and ends where nothing does."""

from __future__ import annotations

import itertools

import pytest

from pennant_testing.waiting import WINDOWS, until

pytestmark = pytest.mark.unit


def test_what_stands_still_ends_the_wait_at_its_deadline_with_what_was_seen():
    asked = itertools.count()
    with pytest.raises(AssertionError, match="still RollingOut after 0 s"):
        until(lambda: next(asked) < 0, 0, seen=lambda: "RollingOut")
    assert next(asked) <= 2


def test_what_goes_on_is_given_more_time_but_not_for_ever():
    asked, steps = itertools.count(1), itertools.count()
    assert until(lambda: next(asked) == WINDOWS, 0, seen=lambda: next(steps))
    with pytest.raises(AssertionError, match="still"):
        until(lambda: False, 0, seen=lambda: next(steps))


def test_what_is_not_watched_has_one_deadline():
    with pytest.raises(AssertionError, match="still False after 0 s"):
        until(lambda: False, 0)
