"""How requests are written for the API server."""

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pennant_operator.yaml_body import as_yaml
from pennant_testing.running.generated_examples import examples

pytestmark = pytest.mark.unit

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)


@settings(examples(500))
@given(JSON)
def test_what_is_sent_as_yaml_means_what_it_is_whatever_it_says(body):
    assert yaml.load(as_yaml(body), Loader=yaml.CSafeLoader) == body


@pytest.mark.parametrize("text", ["\U0001f600", "\x7f", "\x85", "\u2028", "\ufeff", "\\ud83d", "é"])
def test_no_character_is_left_that_yaml_reads_otherwise(text):
    written = as_yaml({"a": text})
    assert written.isascii()
    assert written.isprintable()
    assert yaml.safe_load(written) == {"a": text}


def test_half_a_character_is_told_as_one_that_is_not_known():
    assert yaml.safe_load(as_yaml(json.loads('{"a": "\\ud83d!"}'))) == {"a": "\ufffd!"}
