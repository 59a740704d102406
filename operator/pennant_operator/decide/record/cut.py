"""Cuts a line to what it may have: texts first, lists with them, and says that it was cut."""

import json
from typing import Any

from pennant_operator.decide.record.chain import line_text

LINE_LIMIT_BYTES = 2048  # of a decision's line, as printed, with its line break
ELLIPSIS = "…"
# Of every text (bytes, as printed) and of every list (entries), until the line has room.
_STEPS = ((400, 20), (200, 12), (120, 6), (60, 3), (30, 1))
# What tells one line from others, and what an auditor asks for, is short, and stays whole.
_WHOLE = {"event", "time", "process", "line", "before", "after", "object", "serving", "result"}


def cut_to_limit(line: dict[str, Any], limit: int = LINE_LIMIT_BYTES) -> dict[str, Any]:
    """The very same where it has room; else with `cut: true`."""
    short = line
    for text, entries in _STEPS:
        if len(line_text(short)) < limit:
            break
        parts = {
            name: each if name in _WHOLE else _cut(each, text, entries)
            for name, each in line.items()
        }
        short = {**parts, "cut": True}
    return short


def _cut(value: Any, text: int, entries: int) -> Any:
    if isinstance(value, str):
        return shortened(value, text)
    if isinstance(value, list):
        return [_cut(each, text, entries) for each in value[:entries]]
    if isinstance(value, dict):
        return {name: _cut(each, text, entries) for name, each in value.items()}
    return value


def shortened(text: str, limit: int) -> str:
    """As much of it as takes so many bytes when it is printed, and a sign that it was more."""
    if _printed(text) <= limit:
        return text
    room, end = limit - _printed(ELLIPSIS), 0
    while (room := room - _printed(text[end])) >= 0:
        end += 1
    return text[:end] + ELLIPSIS


def _printed(text: str) -> int:
    return len(json.dumps(text)) - 2
