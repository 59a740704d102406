"""Windows in which nothing new goes out: when they close, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from pennant_registry.gates import Closed, Result, open_at
from pennant_registry.gates.windows import closed_until
from pennant_testing.judged_versions import NOON, facts, results_of

pytestmark = pytest.mark.unit

BERLIN = ZoneInfo("Europe/Berlin")
WEEKEND = {"cron": "0 18 * * 5", "for": "62h", "timeZone": "Europe/Berlin"}
CHANGES = (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC))


def berlin(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("now", "closed"),
    [
        (berlin(27, 17, 59, 59), False),
        (berlin(27, 18), True),
        (berlin(29, 12), True),
        (berlin(30, 7, 59, 59), True),
        (berlin(30, 8), False),
    ],
)
def test_a_window_is_closed_from_its_time_on_to_the_second(now, closed):
    (result,) = results_of({"closed": [WEEKEND]}, facts(), now=now.astimezone(UTC))
    assert (result.result is Result.FAILED) is closed
    if closed:
        assert result.until == berlin(30, 8)
        assert "nothing new goes out before Mon 2026-11-30 08:00:00 Europe/Berlin" in result.message


def test_of_windows_that_are_closed_the_first_end_is_when_to_look_again():
    spec = {"closed": [WEEKEND, {"cron": "0 * * * *", "for": "30m"}]}
    assert open_at(results_of(spec, facts(), now=berlin(28, 12, 10))) == berlin(28, 12, 30)
    assert open_at(results_of(spec, facts(), now=berlin(26, 12, 45))) is None


def test_windows_that_overlap_end_with_the_last():
    window = Closed("0 * * * *", timedelta(minutes=90))
    assert closed_until(window, NOON + timedelta(minutes=10)) == NOON + timedelta(minutes=90)


def test_a_time_long_ago_closes_nothing():
    assert closed_until(Closed("0 0 29 2 *", timedelta(hours=1)), NOON) is None


@given(
    change=st.sampled_from(CHANGES),
    cron=st.sampled_from(["0 2 * * *", "30 2 * * *", "15 2 * * 0", "*/20 2 * * *", "0 */3 * * *"]),
    minutes=st.integers(1, 1800),
    seconds=st.integers(-36 * 3600, 36 * 3600),
)
def test_where_the_clock_jumps_a_window_is_closed_from_each_time_that_cron_names(
    change, cron, minutes, seconds
):
    now, duration = change + timedelta(seconds=seconds), timedelta(minutes=minutes)
    times, begun = CronSim(cron, (now - timedelta(days=9)).astimezone(BERLIN)), []
    while (moment := next(times).astimezone(UTC)) <= now:
        begun.append(moment)
    until = max(begun) + duration
    expected = until if until > now else None
    assert closed_until(Closed(cron, duration, "Europe/Berlin"), now) == expected
