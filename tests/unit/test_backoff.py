"""Retry times."""

import pytest

from pennant_operator.backoff import Backoff

pytestmark = pytest.mark.unit


def test_each_failure_doubles_the_wait_up_to_five_minutes():
    backoff = Backoff(random=lambda: 0.5)
    waits = [backoff.next("a") for _ in range(11)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_a_success_starts_over_and_keys_do_not_share_failures():
    backoff = Backoff(random=lambda: 0.5)
    backoff.next("a")
    assert (backoff.next("a"), backoff.next("b")) == (2, 1)
    backoff.forget("a")
    assert backoff.next("a") == 1


@pytest.mark.parametrize(("random", "wait"), [(0.0, 0.8), (1.0, 1.2)])
def test_a_wait_is_spread_by_a_fifth(random: float, wait: float):
    assert Backoff(random=lambda: random).next("a") == pytest.approx(wait)


def test_a_thousand_failures_do_not_overflow():
    backoff = Backoff(random=lambda: 0.5)
    assert [backoff.next("a") for _ in range(2000)][-1] == 300
