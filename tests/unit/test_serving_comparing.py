"""How far the answers of two versions are apart."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_serving.recent.sample import INFER, INVOCATIONS, OWN
from pennant_serving.rehearsal.answers import outputs_in
from pennant_serving.traffic.comparing import Comparison, steps

pytestmark = pytest.mark.unit

NUMBERS = st.lists(st.floats() | st.integers(), max_size=5)


def compared(protocol: str, own: tuple[bytes, int], theirs: tuple[bytes, int]) -> Comparison:
    comparing = steps(protocol, own, theirs)
    while True:
        try:
            next(comparing)
        except StopIteration as end:
            return end.value


def of(protocol: str, own: Any, theirs: Any) -> Comparison:
    return compared(protocol, (json.dumps(own).encode(), -1), (json.dumps(theirs).encode(), -1))


def predicted(own: Any, theirs: Any) -> Comparison:
    return of(INVOCATIONS, {"predictions": own}, {"predictions": theirs})


@pytest.mark.parametrize(
    ("own", "theirs", "agrees", "distance"),
    [
        ([1.0, 2.0], [1.0, 2.0], True, 0.0),
        ([1.0, 2.0], [1.0, 2.001], True, 0.00025),
        ([1.0, 2.0], [1.0, 4.0], False, 0.25),
        ([1.0], [-1.0], False, 2.0),
        ([0.0], [0.0], True, 0.0),
        ([0.0], [5.0], False, 1.0),
        (["cat"], ["cat"], True, None),
        (["cat"], ["dog"], False, None),
        ([1.0], [1.0, 2.0], False, None),
        ([True], [False], False, None),
        ([None, 1.0], [None, 1.0], True, 0.0),
        ([float("nan")], [float("nan")], True, 0.0),
        ([float("nan")], [1.0], False, 2.0),
        ([float("inf")], [1.0], False, 2.0),
        ([10**400], [1], False, 1.0),
    ],
)
def test_labels_are_equal_and_numbers_nearly_so(own, theirs, agrees, distance):
    assert predicted(own, theirs) == Comparison(
        agrees, None if distance is None else pytest.approx(distance, rel=0.01)
    )


def test_versions_in_an_answer_of_v2_are_no_difference():
    def answer(version: str, value: float) -> dict[str, Any]:
        output = {"name": "predict", "datatype": "FP64", "shape": [1], "data": [value]}
        return {"model_name": "iris", "model_version": version, "outputs": [output]}

    assert of(INFER, answer("7", 1.0), answer("8", 1.0)) == Comparison(True, 0.0)
    assert not of(INFER, answer("7", 1.0), answer("8", 1.1)).agrees


def test_any_json_of_a_route_of_the_adapters_own_is_compared():
    assert of(OWN, {"user": "U1", "scores": [1.0]}, {"user": "U1", "scores": [1.0001]}).agrees
    assert not of(OWN, {"user": "U1", "items": ["a"]}, {"user": "U1", "items": ["b"]}).agrees
    assert not of(OWN, {"user": "U1"}, {"user": "U1", "items": []}).agrees


def test_what_cannot_be_read_is_the_same_only_byte_for_byte():
    assert compared(OWN, (b"<p>", -1), (b"<p>", -1)) == Comparison(True, None)
    assert compared(OWN, (b"<p>", -1), (b"<b>", -1)) == Comparison(False, None)
    assert compared(INVOCATIONS, (b'{"predictions": [1]}', -1), (b"{}", -1)) == Comparison(
        False, None
    )


@pytest.mark.parametrize(
    "output",
    [
        {"shape": [1], "datatype": "FP64", "data": {"0": 1.0}},
        {"shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": 3}},
        {"shape": [0, 10**30], "datatype": "FP64", "parameters": {"binary_data_size": 0}},
        {"shape": [10**30], "datatype": "BYTES", "parameters": {"binary_data_size": 0}},
    ],
)
def test_an_answer_of_v2_that_makes_no_sense_cannot_be_read(output: dict[str, Any]):
    head = json.dumps({"outputs": [{"name": "predict", **output}]}).encode()
    own = {"name": "predict", "shape": [1], "datatype": "FP64", "data": [1.0]}
    before = json.dumps({"outputs": [own]}).encode()
    theirs = head + b"123", len(head)
    assert compared(INFER, (before, -1), theirs) == Comparison(False, None)


def test_rows_that_have_no_names_in_common_are_no_table():
    few, many = ([{str(number): 1.0} for number in range(rows)] for rows in (200, 300))
    assert predicted(few, few) == Comparison(True, 0.0)
    written = json.dumps({"predictions": many}).encode()
    assert compared(INVOCATIONS, (written, -1), (written + b" ", -1)) == Comparison(False, None)


def leaves(value: Any) -> list[Any]:
    if not isinstance(value, (list, dict)):
        return [value]
    parts = value.values() if isinstance(value, dict) else value
    return [leaf for part in parts for leaf in leaves(part)]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(0, 9) | st.floats(0, 1) | st.text("ab"),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
        max_leaves=10,
    )
)
def test_an_answer_has_all_values_in_their_order_however_they_are_nested(value: Any):
    outputs = outputs_in(INVOCATIONS, json.dumps({"predictions": [value, [value]]}).encode())
    assert outputs is not None
    assert [*outputs["predict"].values] == leaves(value) * 2


@pytest.mark.parametrize(
    ("value", "widths"),
    [
        ([1, None], ()), ([None], None), ([], None), ([[]], (0,)), ([[1], [2]], (1,)),
        ([[1], [2, 3]], None), ([[1], None], (1,)), ([[[1, 2]], [[3, None]]], (1, 2)),
        ([[{"a": 1}]], (1,)), ([1, [2]], None), ("a", ()),
    ],
)  # fmt: skip
def test_an_answers_rows_are_as_wide_as_their_lists(value: Any, widths: tuple[int, ...] | None):
    outputs = outputs_in(INVOCATIONS, json.dumps({"predictions": value}).encode())
    assert outputs is not None
    assert outputs["predict"].widths == widths


def test_long_answers_are_compared_to_the_end():
    numbers = [float(number) for number in range(2000)]
    assert predicted(numbers, numbers) == Comparison(True, 0.0)
    assert predicted(numbers, [*numbers[:-1], 0.0]) == Comparison(False, 1 / 2000)


@given(NUMBERS, NUMBERS)
def test_a_distance_is_within_bounds_and_the_same_both_ways(own: list, theirs: list):
    there, back = predicted(own, theirs), predicted(theirs, own)
    assert there.distance == back.distance
    assert there.distance is None or 0 <= there.distance <= 2
    assert predicted(own, own).distance in (0.0, None)
