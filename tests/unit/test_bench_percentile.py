"""The percentile of every bench is the nearest-rank one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.percentile import percentile

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("many", "share", "expected"),
    [
        (1, 0.99, 1),
        (10, 0.5, 5),
        (11, 0.5, 6),
        (10, 0.99, 10),
        (100, 0.99, 99),
        (101, 0.99, 100),
        (200, 0.99, 198),
        (5, 0.0, 1),
        (5, 1.0, 5),
    ],
)
def test_it_is_one_of_the_values_by_its_rank(many: int, share: float, expected: int):
    assert percentile(range(many, 0, -1), share) == expected


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=300), st.sampled_from([0.0, 0.5, 0.99, 1.0])
)
def test_it_is_the_least_value_that_the_share_of_all_are_not_above(
    values: list[float], share: float
):
    def not_above(limit: float) -> int:
        return sum(value <= limit for value in values)

    found = percentile(values, share)
    assert found in values
    assert not_above(found) >= share * len(values)
    assert all(not_above(less) < share * len(values) for less in values if less < found)
