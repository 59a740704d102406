"""JSON however deep: the API server stores what Python's parser gives up at.

The `data` of a ControllerRevision may be any JSON, and one that nobody can read must not hide the
other objects of its list.
"""

import json
import re
from typing import Any

DEEPEST = 100  # nothing of ours, and nothing of the API's own, comes near
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def loads(text: bytes) -> Any:
    """The value, with null for what lies too deep; raises ValueError for what is no JSON."""
    try:
        return json.loads(text)
    except RecursionError:
        return json.loads(_shallow(text))


def _shallow(text: bytes) -> bytes:
    kept, depth, at = [], 0, 0
    for token in _TOKEN.finditer(text):
        if token[0] in b"[{":
            depth += 1
            if depth == DEEPEST:
                kept.append(text[at : token.start()] + b"null")
        elif token[0] in b"]}":
            if depth == DEEPEST:
                at = token.end()
            depth -= 1
    rest = b"" if depth else text[at:]  # what is not closed is left so: it is no JSON
    return b"".join([*kept, rest])
