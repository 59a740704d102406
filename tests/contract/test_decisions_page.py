"""docs/decisions.md has every field of a line, and every result; its example is such a line."""

from __future__ import annotations

import json
import re
from typing import get_args

import pytest

from pennant_operator.config import DECISIONS, Config
from pennant_operator.decide.record.cut import LINE_LIMIT_BYTES, cut_to_limit
from pennant_operator.decide.record.line import Result
from pennant_testing.folders import REPOSITORY
from pennant_testing.memory.recorded_decisions import printed, stories

pytestmark = pytest.mark.contract

PAGE = (REPOSITORY / "docs" / "decisions.md").read_text()
EXAMPLE = json.loads(PAGE.partition("```json\n")[2].partition("```")[0])
TABLE = PAGE.partition("| field | |\n")[2].partition("\n\n")[0]
FIELDS = [
    name
    for names in re.findall(r"^\| (`.+?`) \|", TABLE, re.MULTILINE)
    for name in re.findall(r"`(\w+)`", names)
]
SOMETIMES = {"error", "lost", "cut", "after"}


def test_every_field_of_a_line_is_on_the_page():
    lines = [json.loads(line) for line in printed(stories, full=False)]
    assert {*FIELDS} == {name for line in lines for name in line} | SOMETIMES
    assert "cut" in cut_to_limit({**EXAMPLE, "verdict": {"message": "x" * LINE_LIMIT_BYTES}})


def test_what_is_within_a_field_is_named_too():
    for line in (json.loads(each) for each in printed(stories, full=False)):
        for part in (line["seen"], *line.get("gates", ())):
            assert [name for name in part if f"`{name}`" not in PAGE and name != "gate"] == []


def test_the_example_has_the_fields_of_a_line_in_their_order():
    (line,) = (json.loads(each) for each in printed(stories, full=False)[1:2])
    shared = [name for name in EXAMPLE if name in line]
    assert shared == [name for name in line if name in EXAMPLE]
    assert {*EXAMPLE} <= {*FIELDS}


def test_every_result_is_on_the_page():
    (row,) = re.findall(r"^\| `result`, `error` \| (.+) \|$", PAGE, re.MULTILINE)
    assert {*re.findall(r"`(\w+)`", row)} == {*get_args(Result)}


def test_every_value_of_the_variable_is_on_the_page():
    named = re.findall(r"^\| `(\w+)`(?: \(default\))? \|", PAGE.partition("## ")[0], re.MULTILINE)
    assert tuple(named[1:]) == DECISIONS
    assert f"| `{Config.decisions}` (default) |" in PAGE
