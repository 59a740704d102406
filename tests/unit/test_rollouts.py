"""Who rolls out and who waits, by what is stored and by what was just decided."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.seen.observed import Turn
from pennant_operator.observe.cluster.rollouts import Key, Rollouts

pytestmark = pytest.mark.unit

TIME = "2026-11-21T12:00:00Z"
COMES_UP = {"candidate": {"version": "8", "revision": "r", "slot": "blue", "since": TIME}}
ON_HOLD = {"candidate": {**COMES_UP["candidate"], "retryTime": TIME}}
STALLED = {
    **COMES_UP,
    "conditions": [
        {
            "type": "Stalled",
            "status": "True",
            "reason": "InvalidSpec",
            "message": "so",
            "lastTransitionTime": "2026-11-21T12:00:00Z",
        }
    ],
}


def waits(second: int) -> dict[str, Any]:
    return {"line": {"revision": "r", "since": f"2026-11-21T12:00:{second:02}Z", "ahead": 0}}


def key(name: str) -> Key:
    return "team", name


class Woken:
    """A line, and who was looked at because of it."""

    def __init__(self) -> None:
        self.line = Rollouts()
        self.keys: list[str] = []
        self.line.wake = self._wake

    def _wake(self, keys: Iterable[Key]) -> None:
        self.keys += [name for _, name in keys]

    def saw(self, name: str, status: dict[str, Any], registry: str | None = "default") -> None:
        self.line.saw(key(name), registry, {"metadata": {}, "status": status})


def test_what_comes_up_has_a_place_and_what_is_on_hold_or_stalled_has_none():
    woken = Woken()
    for name, status in (("a", COMES_UP), ("b", ON_HOLD), ("c", STALLED), ("d", {})):
        woken.saw(name, status)
    woken.saw("e", COMES_UP, registry="another")
    assert woken.line.turn(key("x"), "default") == Turn(1, 0)
    assert woken.line.turn(key("a"), "default") == Turn(0, 0)


def test_the_oldest_move_is_first_and_who_comes_is_last():
    woken = Woken()
    for name, second in (("b", 2), ("c", 1), ("a", 2)):
        woken.saw(name, waits(second))
    ahead = {name: woken.line.turn(key(name), "default").ahead for name in "abcx"}
    assert ahead == {"c": 0, "a": 1, "b": 2, "x": 3}
    assert woken.line.next_ones("default", 2) == [key("c"), key("a")]


def test_a_place_that_is_taken_and_not_stored_yet_is_taken():
    woken = Woken()
    woken.saw("a", waits(1))
    woken.line.decided(key("a"), "default", COMES_UP)
    assert woken.line.turn(key("b"), "default") == Turn(1, 0)
    woken.saw("a", waits(1))  # somebody else's change of it, which comes before our own
    assert woken.line.turn(key("b"), "default") == Turn(1, 0)
    woken.saw("a", COMES_UP)
    assert woken.line.turn(key("b"), "default") == Turn(1, 0)
    woken.saw("a", {})
    assert woken.line.turn(key("b"), "default") == Turn(0, 0)


def test_what_was_decided_and_not_written_is_no_place_once_it_is_decided_otherwise():
    woken = Woken()
    woken.line.decided(key("a"), "default", COMES_UP)
    woken.line.decided(key("a"), "default", {})
    assert woken.line.turn(key("b"), "default") == Turn(0, 0)


@pytest.mark.parametrize("after", [{}, ON_HOLD, STALLED, None])
def test_whoever_leaves_a_place_has_the_next_one_looked_at(after: dict[str, Any] | None):
    woken = Woken()
    woken.saw("a", COMES_UP)
    woken.saw("b", waits(2))
    woken.saw("c", waits(1))
    assert woken.keys == []
    if after is None:
        woken.line.gone(key("a"))
    else:
        woken.saw("a", after)
    assert woken.keys == ["c"]


def test_whoever_leaves_the_line_makes_room_for_who_came_later():
    woken = Woken()
    woken.saw("a", waits(1))
    woken.saw("b", waits(2))
    woken.saw("a", waits(1))
    assert woken.keys == []
    woken.saw("a", COMES_UP)
    assert woken.keys == []
    woken.saw("c", waits(3))
    woken.saw("b", {})
    assert woken.keys == ["c"]


def test_what_is_deleted_has_no_place():
    woken = Woken()
    woken.saw("a", COMES_UP)
    owner = {"metadata": {"deletionTimestamp": TIME}, "status": COMES_UP}
    woken.line.saw(key("a"), "default", owner)
    assert woken.line.counts("default") == (0, 0)


STATUSES = st.sampled_from([COMES_UP, ON_HOLD, STALLED, {}, waits(1), waits(2)])
SEEN = st.tuples(st.sampled_from("abcde"), st.sampled_from(["default", None]), STATUSES)


@given(st.lists(SEEN, max_size=30))
def test_what_is_counted_is_what_was_seen_last(seen: list[tuple[str, str | None, dict[str, Any]]]):
    woken, last = Woken(), dict[str, dict[str, Any]]()
    for name, registry, status in seen:
        woken.saw(name, status, registry)
        last[name] = status if registry else {}
    up = {name for name, status in last.items() if status == COMES_UP}
    line = {name for name, status in last.items() if "line" in status}
    assert woken.line.counts("default") == (len(up), len(line))
    assert woken.line.turn(key("x"), "default") == Turn(len(up), len(line))
