"""The payload log: what is told of a request, and what is not."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennant_serving.codecs.jsonio import dump
from pennant_serving.rows import Rows
from pennant_serving.sampling.copying import Copier
from pennant_serving.sampling.payloads import ROOM_BYTES, PayloadLog

pytestmark = pytest.mark.unit

CUT = 16 * 1024
"""Bytes at which container runtimes cut a line."""


def payload_log(*redact: str, ratio: float = 1.0) -> PayloadLog:
    return PayloadLog("iris", "7", ratio, redact)


def inputs(*redact: str, rows: Rows, columns=(), tensors=()):
    return payload_log(*redact).inputs(rows, columns, tensors)


def test_rows_are_told_by_the_names_that_the_request_or_the_model_gives_them():
    assert inputs(rows=Rows([[1, "x"]]), columns=("a", "b")) == [{"a": 1, "b": "x"}]
    assert inputs(rows=Rows(np.eye(2)), columns=("a", "b"))[1] == {"a": 0.0, "b": 1.0}
    assert inputs(rows=Rows(["U1"]), columns=("user",)) == [{"user": "U1"}]
    assert inputs(rows=Rows(["U1"])) == ["U1"]
    assert inputs(rows=Rows(["U1"]), tensors=("user",)) == {"user": ["U1"]}


def test_what_is_redacted_is_left_out_wherever_it_lies():
    logged = inputs("user", rows=Rows([["U1", {"user": "U2", "n": 1}]]), columns=("user", "more"))
    assert logged == [{"user": "[redacted]", "more": {"user": "[redacted]", "n": 1}}]
    assert inputs("x", rows=Rows(["U1"]), tensors=("x",)) == "[redacted]"
    outputs = payload_log("score", "id").outputs({"score": [0.5], "predict": [{"id": 1}]}, ())
    assert outputs == {"score": "[redacted]", "predict": [{"id": "[redacted]"}]}


def test_values_without_a_name_are_left_out_when_something_is_redacted():
    assert inputs("user", rows=Rows(["U1", {"user": "U2"}])) == [
        "[redacted]",
        {"user": "[redacted]"},
    ]
    assert inputs("user", rows=Rows([[1, 2, 3]]), columns=("user", "age")) == ["[redacted]"]


def test_outputs_are_told_by_name_and_only_those_that_were_asked_for():
    log = payload_log()
    assert log.outputs(np.array([1.5]), ()) == {"predict": [1.5]}
    assert log.outputs(pd.DataFrame({"a": [1], "b": [2]}), ("b",)) == {"b": [2]}
    assert log.outputs(pd.Series([1, 2]), ()) == {"predict": [1, 2]}


@pytest.mark.parametrize(
    "value",
    [
        np.zeros((1000, 1000)),
        [["x" * 400] * 400] * 400,
        [{f"column {n}": n for n in range(10_000)}],
        ["\0" * 1_000_000],
        ["x" * 4000, "\0" * 4000] * 9,
        [[[[]] * 1000] * 1000],
    ],
    ids=["matrix", "texts", "columns", "one text", "controls", "nothing"],
)
def test_large_payloads_are_cut_and_say_so(value):
    log = payload_log()
    line = dump([log.inputs(Rows(value), (), ()), log.outputs({"a": value, "b": value}, ())])
    assert len(line) < CUT - 512
    assert b" more]" in line


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary()
    | st.text(st.characters(codec=None)) | st.just(object()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
)  # fmt: skip


@given(NESTED)
def test_whatever_a_model_answers_can_be_told(value):
    json.loads(dump(Copier(frozenset(), ROOM_BYTES).value(value)))


def test_nesting_has_an_end():
    value: list = []
    for _ in range(5000):
        value = [value]
    assert "too deep" in str(Copier(frozenset(), ROOM_BYTES).value(value))


def test_the_ratio_is_the_share_that_is_drawn():
    assert all(payload_log(ratio=1).draws() for _ in range(100))
    assert not any(payload_log(ratio=0).draws() for _ in range(100))
