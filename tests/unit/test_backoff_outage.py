"""When an outage of a registry is told, when it is over, and how often it is asked meanwhile."""

from datetime import timedelta

import pytest

from pennant_operator.observe.poll.outage import Outage
from pennant_testing.memory.object_builders import NOW

pytestmark = pytest.mark.unit

MINUTE = timedelta(minutes=1)


def test_a_short_outage_is_not_told_and_is_over_at_once():
    outage = Outage()
    outage.failed(NOW)
    outage.failed(NOW + 14 * MINUTE)
    assert (outage.since, outage.reported) == (NOW, False)
    outage.succeeded()
    assert (outage.since, outage.reported) == (None, False)


def test_after_fifteen_minutes_it_is_told_and_over_after_two_good_polls():
    outage = Outage()
    outage.failed(NOW)
    outage.failed(NOW + 15 * MINUTE)
    assert outage.reported
    outage.succeeded()
    assert outage.reported
    outage.failed(NOW + 16 * MINUTE)
    outage.succeeded()
    assert outage.reported
    outage.succeeded()
    assert (outage.since, outage.reported) == (None, False)


@pytest.mark.parametrize(
    ("interval", "pauses"),
    [(5, [5, 10, 20, 25, 25]), (15, [15, 30, 60, 60, 60]), (300, [300, 300, 300, 300, 300])],
)
def test_the_pause_grows_to_five_intervals_or_a_minute(interval: int, pauses: list[int]):
    outage, found = Outage(), []
    for _ in pauses:
        found.append(outage.pause(timedelta(seconds=interval), 0.5).total_seconds())
        outage.failed(NOW)
    assert found == pauses


def test_polls_of_several_registries_fall_out_of_step():
    pauses = [Outage().pause(timedelta(seconds=15), draw).total_seconds() for draw in (0, 0.5, 1)]
    assert pauses == [13.5, 15, 16.5]
