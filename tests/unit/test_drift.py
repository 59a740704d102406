"""What counts as drift, and what is only the API server's way of writing it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.decide.drift import drifted

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("applied", "live"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"cpu": "0.5"}, {"cpu": "500m"}),
        ({"cpu": 1}, {"cpu": "1"}),
        ({"memory": "1024Mi"}, {"memory": "1Gi"}),
        ({"emptyDir": {}}, {}),
        ([{"name": "a"}], [{"name": "injected"}, {"name": "a", "defaulted": True}]),
        (["x", "y"], ["x", "y"]),
    ],
)
def test_the_same_in_other_words_is_no_drift(applied, live):
    assert not drifted(applied, live)


@pytest.mark.parametrize(
    ("applied", "live"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {}),
        ({"a": {"b": 1}}, {"a": None}),
        ({"cpu": "0.5"}, {"cpu": "600m"}),
        ({"on": True}, {"on": False}),
        ([{"name": "a", "value": "1"}], [{"name": "a", "value": "2"}]),
        ([{"name": "a"}], [{"name": "b"}]),
        (["x"], ["x", "y"]),
        ({"a": "1x"}, {"a": "1y"}),
        ({"revision": "4e99999999"}, {"revision": "17e3051234"}),  # hashes, and no numbers
        ({"revision": "10e4000000"}, {"revision": "1e40000000"}),
        ({"revision": "Infinity"}, {"revision": "NaN"}),
    ],
)
def test_another_value_is_drift(applied, live):
    assert drifted(applied, live)


VALUES = st.text("0123456789.eE+-kKMGTPimnu") | st.text() | st.integers() | st.floats() | st.none()


@given(VALUES, VALUES)
def test_whatever_the_values_are_they_can_be_compared(applied, live):
    drifted({"value": applied}, {"value": live})
