"""What is sent as YAML means what it meant as JSON, whatever characters are in it."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pennant_operator.kube import as_yaml

pytestmark = pytest.mark.unit

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    TEXT | st.integers() | st.booleans() | st.none(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXT, below, max_size=3),
)


@given(VALUES)
def test_it_is_read_as_it_was_meant(value: Any):
    assert yaml.safe_load(as_yaml({"data": value})) == {"data": value}


@pytest.mark.parametrize(
    "text", ["\U0001f600", "\x7f\x85\x9f", "\u2028\ufeff\uffff", "yes", "\n\t"]
)
def test_characters_that_yaml_does_not_know_are_escaped(text: str):
    assert yaml.safe_load(as_yaml({"data": text})) == {"data": text}
