"""Gates: numbers and times that few people write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from pennant_registry.errors import InvalidGateError
from pennant_registry.gates import Closed, Gates, MetricMin, VersionFacts, evaluate, parse, refusals
from pennant_registry.gates.windows import closed_until

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
NEW_YORK, LORD_HOWE = "America/New_York", "Australia/Lord_Howe"  # the latter shifts by 30 minutes


def refused(gates: Gates, auc: float, serving: float | None = None) -> list[str]:
    """What the gates say of a version, beside what one that serves had."""
    before = None if serving is None else VersionFacts("3", {"auc": serving})
    return refusals(evaluate(gates, VersionFacts("7", {"auc": auc}), before, NOON))


def auc(**bounds: Any) -> Gates:
    return parse({"metrics": [{"name": "auc", **bounds}]})


def at_least(least: float) -> Gates:
    return Gates(metrics=(MetricMin("auc", least).gate(),))


@pytest.mark.parametrize("least", [np.float64(0.3), np.float32(0.25), 0])
def test_the_short_form_takes_the_numbers_that_training_code_has(least):
    assert refused(at_least(least), 0.3) == []
    assert refused(at_least(least), -0.3) != []


def test_nothing_is_at_least_what_is_no_number():
    assert refused(at_least(float("nan")), 0.3) == ["metric auc is 0.3, and must be at least NaN"]


def test_a_metric_that_fails_by_little_is_not_rounded_to_its_bound():
    below = "metric auc is 0.29999999, and must be at least 0.3"
    assert refused(auc(min="0.3"), 0.29999999) == [below]
    (dropped,) = refused(auc(maxDrop="0"), 0.1234562, serving=0.1234564)
    assert dropped.startswith("metric auc is 0.1234562, and must be at least 0.1234564, which")
    large = "metric auc is 1234567, and must be at most 1234566"
    assert refused(auc(max="1234566"), 1234567) == [large]


def test_numbers_may_be_as_large_as_floats_are():
    assert refused(auc(min="999999999999999.5"), 1e308) == []
    assert refused(auc(maxRise="999999999999999%"), 1e308, serving=1e300) == []
    assert refused(auc(maxDrop="0.000000000000001"), -1e308, serving=1e308) != []


@pytest.mark.parametrize("bound", [None, "1e3", "NaN", "\u0663", " 1", "0x1", ".5", "+1", 1, True])
def test_what_is_no_decimal_is_no_bound(bound):
    with pytest.raises(InvalidGateError, match=r"gates\.metrics\[0\]"):
        auc(min=bound)


@pytest.mark.parametrize(
    ("zone", "cron", "now", "until"),
    [
        (NEW_YORK, "30 2 * * *", "2026-03-08T07:10", "2026-03-08T07:30"),  # 03:00, 02:30 was not
        (NEW_YORK, "30 1 * * *", "2026-11-01T05:45", "2026-11-01T06:00"),
        (NEW_YORK, "30 1 * * *", "2026-11-01T06:45", None),  # 01:45 again
        (LORD_HOWE, "15 2 * * *", "2026-10-03T15:40", "2026-10-03T16:00"),  # 02:30, 02:15 was not
        (LORD_HOWE, "45 1 * * *", "2026-04-04T14:50", "2026-04-04T15:15"),
        (LORD_HOWE, "45 1 * * *", "2026-04-04T15:20", None),  # 01:50 again
    ],
)
def test_a_time_that_the_clock_leaves_out_or_repeats_closes_once(zone, cron, now, until):
    window = Closed(cron, timedelta(minutes=30), zone)
    expected = datetime.fromisoformat(f"{until}+00:00") if until else None
    assert closed_until(window, datetime.fromisoformat(f"{now}+00:00")) == expected


def test_a_window_of_every_minute_and_one_of_two_years_are_closed_for_good():
    always = Closed("* * * * *", timedelta(minutes=1))
    assert closed_until(always, NOON + timedelta(seconds=59)) == NOON + timedelta(minutes=1)
    years = Closed("0 12 27 11 *", timedelta(hours=17_520))
    assert closed_until(years, NOON - timedelta(seconds=1)) == NOON.replace(year=2027)
    assert closed_until(years, NOON) == NOON + timedelta(hours=17_520)
