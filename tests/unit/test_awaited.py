"""A ModelRegistry that is named before it is there is awaited, for a moment."""

from datetime import datetime, timedelta

import pytest

from pennant_operator.observe.registries.awaited import ARRIVAL_GRACE, Awaited
from pennant_testing.memory.object_builders import NOW

pytestmark = pytest.mark.unit


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time

    def past_the_grace(self) -> None:
        self.time += ARRIVAL_GRACE + timedelta(seconds=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def awaited(clock: Clock) -> Awaited:
    awaiting = Awaited(clock)
    awaiting.listed(set(), set(), first=True)
    return awaiting


def test_one_that_does_not_come_is_given_up_once(awaited: Awaited, clock: Clock):
    assert awaited.waits_for("brief")
    assert awaited.listed(set(), {"brief"}, first=False) == set()
    assert awaited.waits_for("brief")
    clock.past_the_grace()
    assert awaited.listed(set(), {"brief"}, first=False) == {"brief"}
    assert not awaited.waits_for("brief")
    assert awaited.listed(set(), {"brief"}, first=False) == set()


def test_until_it_was_listed_as_missing_nobody_is_told(awaited: Awaited, clock: Clock):
    awaited.waits_for("brief")
    clock.past_the_grace()
    assert awaited.waits_for("brief")


def test_one_that_goes_again_is_awaited_again(awaited: Awaited, clock: Clock):
    awaited.waits_for("brief")
    clock.past_the_grace()
    awaited.listed(set(), {"brief"}, first=False)
    awaited.listed({"brief"}, {"brief"}, first=False)
    assert awaited.waits_for("brief")


def test_a_restarted_operator_does_not_wait_for_what_it_had_given_up(clock: Clock):
    awaited = Awaited(clock)
    assert awaited.listed(set(), {"nowhere"}, first=True) == {"nowhere"}
    assert not awaited.waits_for("nowhere")
