"""Whole numbers stay what they are, or the request is refused."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_serving.adapters.exact import SignatureColumns, array
from pennant_serving.bundle.mlmodel import Column
from pennant_serving.errors import InvalidInput
from pennant_testing.running.generated_examples import examples

pytestmark = pytest.mark.unit

WHOLE = ("bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))
NUMBERS = st.one_of(
    st.integers(-(2**65), 2**65),
    st.integers(-2, 2),
    st.integers(2**64 - 2, 2**64 + 1),
    st.sampled_from([2.0**63, 2.0**64, -(2.0**63), 2.0**7, 255.0, 256.0]),
    st.floats(),
    st.booleans(),
    st.integers(2**53 - 2, 2**53 + 2).map(float),
)


@examples(400)
@given(st.sampled_from(WHOLE), st.lists(NUMBERS, min_size=1, max_size=4))
def test_whole_numbers_are_read_to_the_last_digit_or_refused(dtype, values):
    try:
        found = array([values], dtype)
    except InvalidInput:
        limits = (0, 1) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        fit = all(math.isfinite(v) and v == int(v) and limits[0] <= v <= limits[1] for v in values)
        # A float beside a number that NumPy has no common type for is refused, too.
        assert not fit or any(isinstance(value, float) for value in values)
        return
    assert found.dtype == dtype
    pairs = zip(found[0].tolist(), values, strict=True)
    assert all(Fraction(one) == Fraction(other) for one, other in pairs)


@pytest.mark.parametrize("dtype", [*WHOLE, "float64"])
@pytest.mark.parametrize("given_dtype", [*WHOLE, "float32", "float64"])
def test_binary_tensors_of_another_type_are_taken_when_no_value_changes(dtype, given_dtype):
    small = np.array([[0, 1]], dtype=given_dtype)
    assert array(small, dtype).tolist() == [[0, 1]]
    if dtype in ("int8", "bool") and given_dtype not in ("bool", "int8"):
        with pytest.raises(InvalidInput):
            array(np.array([[200, 1]], dtype=given_dtype), dtype)
    if dtype != "float64" and given_dtype.startswith("float"):
        with pytest.raises(InvalidInput):
            array(np.array([[0.5, 1]], dtype=given_dtype), dtype)


@pytest.mark.parametrize("value", [None, "x", [1], float("nan")])
@pytest.mark.parametrize("dtype", ["bool", "int64"])
def test_what_is_no_number_is_refused(value, dtype):
    with pytest.raises(InvalidInput):
        array([[value, 1]], dtype)


def columns(*types: str, required: bool = True) -> SignatureColumns:
    return SignatureColumns(
        [Column(f"c{n}", each, required) for n, each in enumerate(types)], "float64"
    )


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        ("long", 1.5, r"column 'c0' is long: 1\.5 is none"),
        ("integer", 2.0**31, "column 'c0' is integer"),
        ("long", np.inf, "column 'c0' is long: inf is none"),
        ("long", np.nan, "column 'c0' is long: it cannot be null"),
        ("boolean", 2.0, r"column 'c0' is boolean: 2\.0 is none"),
    ],
)
def test_a_column_of_whole_numbers_among_floats_is_checked_by_name(kind, value, says):
    with pytest.raises(InvalidInput, match=says):
        columns(kind, "double").checked(np.array([[1.0, 0.5], [value, 0.5]]))


def test_a_column_that_is_not_required_may_be_missing():
    rows = np.array([[np.nan, 0.5], [-3.0, np.nan]])
    assert columns("long", "double", required=False).checked(rows) is rows


def test_only_columns_of_single_floats_are_rounded_and_nobody_elses_array_is_changed():
    rows = np.array([[0.1, 0.1]])
    assert columns("float", "double").checked(rows).tolist() == [[float(np.float32(0.1)), 0.1]]
    assert rows.tolist() == [[0.1, 0.1]]
