"""JSON however it is made: the API server stores what Python's parser gives up at.

Where a schema leaves an object open, and in the `data` of a ControllerRevision, anybody may write
brackets thousands deep and numbers of thousands of digits. One object that nobody can read must
hide no other.
"""

import json
import re
from typing import Any

DEPTH_LIMIT = 100  # levels of JSON from the API server; nothing of ours or its own comes near
SHALLOW_BRACKETS_LIMIT = 500  # brackets of JSON that are too few to be too deep for any parser
DIGITS_LIMIT = 1000  # digits of a whole number; more are no number to anybody
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def loads(text: bytes) -> Any:
    """The value, with null for what lies too deep; raises ValueError for what is no JSON."""
    try:
        return json.loads(text)
    except (RecursionError, ValueError):
        return json.loads(_shallow(text), parse_int=_number)


def shallow(text: bytes) -> bytes:
    """The same JSON, with null for what lies too deep for whoever parses it."""
    return text if text.count(b"{") + text.count(b"[") <= SHALLOW_BRACKETS_LIMIT else _shallow(text)


def _shallow(text: bytes) -> bytes:
    parts, depth, at = [], 0, 0
    for token in _TOKEN.finditer(text):
        if token[0] in b"[{":
            depth += 1
            if depth == DEPTH_LIMIT:
                parts.append(text[at : token.start()] + b"null")
        elif token[0] in b"]}":
            if depth == DEPTH_LIMIT:
                at = token.end()
            depth -= 1
    rest = b"" if depth else text[at:]  # what is not closed is left so: it is no JSON
    return b"".join([*parts, rest])


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= DIGITS_LIMIT else float(digits)
