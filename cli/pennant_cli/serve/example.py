"""A request to try the server with, from the model's own input example."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

EXAMPLE = "serving_input_example.json"
"""As MLflow saves it: a body of /invocations."""
LONGEST = 500
"""Characters of a body that a person would copy."""


def try_it(bundle: Path, url: str) -> str:
    """A command for a shell; without a short example, where the server shows its own."""
    body = _body(bundle / EXAMPLE)
    if body is None:
        return f"{url}/docs has requests to try"
    header = "'Content-Type: application/json'"
    return f"curl {url}/invocations -H {header} -d {shlex.quote(body)}"


def _body(path: Path) -> str | None:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    body = json.dumps(_first_row(content), ensure_ascii=False)
    return body if len(body) <= LONGEST else None


def _first_row(content: Any) -> Any:
    """One row is enough, of those forms that have rows in a list."""
    match content:
        case {"dataframe_split": {"columns": columns, "data": [first, *_]}}:
            return {"dataframe_split": {"columns": columns, "data": [first]}}
        case {"inputs": [first, *_]}:
            return {"inputs": [first]}
    return content
