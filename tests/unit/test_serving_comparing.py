"""How far the answers of two versions are apart."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_serving.recent.sample import INFER, INVOCATIONS, OWN
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
