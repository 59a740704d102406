"""JSON that is too deep for Python's parser is read as far as anybody needs it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator import nesting

pytestmark = pytest.mark.unit

DEEP = 20_000
ANY = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)


def deep(kind: str, depth: int = DEEP) -> str:
    """An object or a list in another, and so on."""
    opened, closed = {"object": ('{"]":', "}"), "list": ("[", "]")}[kind]
    return opened * depth + "1" + closed * depth


@pytest.mark.parametrize("kind", ["object", "list"])
@given(beside=ANY)
def test_what_lies_beside_it_is_read(kind: str, beside: Any):
    text = f'{{"items": [{deep(kind)}, {json.dumps(beside)}], "after": {json.dumps(beside)}}}'
    found = nesting.loads(text.encode())
    assert found["items"][1] == found["after"] == beside
    assert json.loads(json.dumps(found)) == found  # it can be written again


def test_a_line_of_a_watch_is_made_shallow_before_others_parse_it():
    line = f'{{"a": {deep("object")}, "b": "{{[" }}'.encode()
    assert json.loads(nesting.shallow(line))["b"] == "{["
    assert nesting.shallow(b'{"a": [1]}') == b'{"a": [1]}'


@pytest.mark.parametrize("number", ["1" * 5000, "-" + "1" * 5000])
def test_a_number_that_no_computer_holds_is_no_trouble(number: str):
    found = nesting.loads(f"[{number}, 7, {'9' * 900}]".encode())
    assert (abs(found[0]), found[1:]) == (float("inf"), [7, int("9" * 900)])


@given(ANY)
def test_anything_else_is_read_as_ever(value: Any):
    assert nesting.loads(json.dumps(value).encode()) == value


@pytest.mark.parametrize("wrong", ["[" * DEEP, "[" * DEEP + "]", "{"])
def test_what_is_no_json_is_still_none(wrong: str):
    with pytest.raises(ValueError, match=r"closed|Expecting"):
        nesting.loads(wrong.encode())
