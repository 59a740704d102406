"""The page for people: one HTML document that works without the internet."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from pennant_serving.codecs.media import JSON
from pennant_serving.model import metadata
from pennant_serving.model.model import Model

NEWLINE = "\n"
UNKNOWN = "<p>The model comes without a signature, so there is no telling.</p>"


def page(model: Model, described: dict[str, Any], address: str) -> str:
    """The page of a model by its OpenAPI document; `address` is where the reader reached it."""
    template = files("pennant_serving.openapi").joinpath("docs.html").read_text()
    described_model = metadata.of_model(model)
    return Template(template).substitute(
        model=escape(model.name),
        version=escape(model.version),
        adapter=escape(model.adapter_name),
        asks="\n".join(_asks(described["paths"], address)),
        inputs=_tensors(described_model["inputs"]),
        outputs=_tensors(described_model["outputs"]),
        paths=_paths(described["paths"]),
    )


def _asks(paths: dict[str, Any], address: str) -> Iterable[str]:
    for path, calls in paths.items():
        if "requestBody" not in calls.get("post", {}):
            continue
        example = calls["post"]["requestBody"]["content"][JSON].get("example", {})
        body, text = json.dumps(example, ensure_ascii=False), _readable(example)
        curl = f"curl {address}{path} -H 'Content-Type: {JSON}' -d {shlex.quote(body)}"
        yield (
            f"<h2>{escape(calls['post']['summary'])}</h2>"
            f'<form action="{escape(path)}">'
            f'<textarea rows="{text.count(NEWLINE) + 2}" spellcheck="false"'
            f' aria-label="Body of the request">{escape(text)}</textarea>'
            f"<button>Send</button> <code>POST {escape(path)}</code><output></output></form>"
            f"<details><summary>As a command</summary><pre>{escape(curl)}</pre></details>"
        )


def _readable(example: dict[str, Any]) -> str:
    """One line for each tensor or row: indented JSON would give one to each number."""
    text = json.dumps(example, ensure_ascii=False)
    for ending in ('[{"', "[["):
        text = text.replace(f": {ending}", f": [\n  {ending[1:]}")
    return text.replace("}, {", "},\n  {").replace("], [", "],\n  [")


def _tensors(tensors: Sequence[dict[str, Any]]) -> str:
    if not tensors:
        return UNKNOWN
    rows = ((each["name"], each["datatype"], str(each["shape"])) for each in tensors)
    return _table(("name", "datatype", "shape"), rows)


def _paths(paths: dict[str, Any]) -> str:
    rows = (
        (f"{method.upper()} {path}", call["summary"])
        for path, calls in paths.items()
        for method, call in calls.items()
    )
    return _table(("path", ""), rows)


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    return f"<table><tr>{head}</tr>{''.join(_row(*row) for row in rows)}</table>"


def _row(first: str, *others: str) -> str:
    cells = (f"<td>{escape(cell)}</td>" for cell in others)
    return f"<tr><td><code>{escape(first)}</code></td>{''.join(cells)}</tr>"
