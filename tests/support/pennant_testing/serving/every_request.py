"""Requests of every form, with values of every kind."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

VALUES: tuple[Any, ...] = (
    *(True, False, 0, 1, 2, -1, 1.0, 1.5, 2**31, 2**53 + 1, 2**63, 2**64 - 1, math.nan, math.inf),
    *("", "x", "5", "aGVsbG8=", "2020-01-01", "2020-01-01T01:02:03Z", "1e3", "true"),
    *({"name": "x", "when": "2026-03-01T12:30:00Z"}, {"x": 1, "y": 2}),
    *(None, [1, 2], ["x", "y"], [[1.5]], {"x": 1}, {"x": "x", "z": None}, []),
)


def bodies(value: Any) -> Iterator[tuple[str, Any]]:
    """Requests of every form that bring a value, by name."""
    pairs = [[value, 1.5], [value, 2]]
    yield "split", {"dataframe_split": {"columns": ["a", "b"], "data": pairs}}
    yield "split of one", {"dataframe_split": {"columns": ["a"], "data": [[value]]}}
    yield "split reversed", {"dataframe_split": {"columns": ["b", "a"], "data": [[1, value]]}}
    yield (
        "split and more",
        {
            "dataframe_split": {
                "columns": ["a", "c", "b"],
                "index": [3],
                "data": [[value, value, 1]],
            }
        },
    )
    yield "split by number", {"dataframe_split": {"columns": [0, 1], "data": pairs}}
    yield "split by text", {"dataframe_split": {"columns": ["0", "1"], "data": pairs}}
    yield "split without names", {"dataframe_split": {"data": pairs}}
    yield "split flat", {"dataframe_split": {"columns": ["a"], "data": [value, value]}}
    yield "records", {"dataframe_records": [{"a": value, "b": 1.5}, {"b": 2, "a": value}]}
    yield "record of one", {"dataframe_records": [{"a": value}]}
    yield "records that lack", {"dataframe_records": [{"a": value, "b": 1.5}, {"b": 2}]}
    for form in ("instances", "inputs"):
        yield f"{form} of rows", {form: [{"a": value, "b": 1.5}, {"a": value, "b": 2}]}
        yield f"{form} of a row", {form: [{"a": value}]}
        yield f"{form} that lack", {form: [{"a": value, "b": 1.5}, {"b": 2}]}
        yield f"{form} by name", {form: {"a": [value, value], "b": [1.5, 2]}}
        yield f"{form} by name, nested", {form: {"a": [[value], [value]], "b": [[1], [2]]}}
        yield f"{form} of one name", {form: {"a": [value, value]}}
        yield f"{form} by name, scalars", {form: {"a": value, "b": 1.5}}
        yield f"{form} by name, mixed", {form: {"a": [value, value], "b": 1}}
        yield f"{form} by name, uneven", {form: {"a": [value, value], "b": [1]}}
        yield f"{form} of pairs", {form: [[value, value], [value, value]]}
        yield f"{form} of triples", {form: [[value, value, value]]}
        yield f"{form} of mixed pairs", {form: [[value, 1.5]]}
        yield f"{form} of singles", {form: [[value], [value]]}
        yield f"{form} flat", {form: [value, value]}
        yield f"{form} ragged", {form: [[value], [value, value]]}
        yield f"{form} alone", {form: value}
        yield f"{form} of none", {form: []}
    yield "params", {"inputs": [value], "params": {"p": value}}


def csvs(value: Any) -> Iterator[tuple[str, bytes]]:
    """CSV of every form that brings a value, by name."""
    cell = "" if value is None else str(value)
    if isinstance(value, (list, dict)):
        cell = '"' + json.dumps(value).replace('"', '""') + '"'
    yield "csv", f"a,b\n{cell},1.5\n{cell},2\n".encode()
    yield "csv of one", f"a\n{cell}\n".encode()
    yield "csv of numbers", f"1,2\n{cell},3\n".encode()
