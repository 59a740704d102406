"""docs/operator-timing.md has every time, rate, size and bound of the operator, as the code has it.

A number whose name says that it is one (BOUND), or a timedelta, is on the page, and the comment
beside it is what it bounds. UPDATE_GOLDEN=1 writes the page.
"""

import ast
import importlib
import os
import re
from collections.abc import Iterator
from dataclasses import astuple
from datetime import timedelta
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from pennant_operator.config import Config
from pennant_operator.decide.lease import Timing
from pennant_registry.durations import DURATION

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operator-timing.md"
PACKAGE = ROOT / "operator" / "pennant_operator"
TABLES = re.compile(r"(<!-- generated: timing -->\n).*(<!-- end of timing -->)", re.DOTALL)
BOUND = re.compile(r"MAX_\w+|\w+_(SECONDS|BYTES|LIMIT|MINIMUM)")
CRDS = {"ModelDeployment": "modeldeployments", "ModelRegistry": "modelregistries"}


class Constant(NamedTuple):
    """One of a module."""

    module: Path  # from the package's folder
    name: str
    value: Any
    bounds: str  # what its comment says

    @property
    def room(self) -> str:
        """The folder that it is in."""
        return str(self.module.parent).replace(".", "pennant_operator", 1)


def constants() -> Iterator[Constant]:
    """Every constant that is a number or a time, of every module."""
    for path in sorted(PACKAGE.rglob("*.py"), key=lambda path: (path.parent, path.name)):
        if path.name == "__main__.py":
            continue
        text, module = path.read_text(), path.relative_to(PACKAGE)
        dotted = ".".join(("pennant_operator", *module.with_suffix("").parts))
        for node in ast.parse(text).body:
            for name in _assigned(node):
                value = getattr(importlib.import_module(dotted), name)
                if isinstance(value, int | float | timedelta) and not isinstance(value, bool):
                    yield Constant(module, name, value, _comment(text.splitlines(), node))


def _assigned(node: ast.stmt) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", node)]
    for target in targets:
        for each in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(each, ast.Name) and re.fullmatch("[A-Z_][A-Z0-9_]*", each.id):
                yield each.id


def _comment(lines: list[str], node: ast.stmt) -> str:
    """On the constant's own line, or on those before it."""
    own = lines[(node.end_lineno or node.lineno) - 1].partition("  # ")[2]
    if own:
        return own
    before = []
    for line in reversed(lines[: node.lineno - 1]):
        if not line.startswith("# "):
            break
        before.append(line.removeprefix("# "))
    return " ".join(reversed(before))


def is_bound(constant: Constant) -> bool:
    """Whether its user may meet it."""
    return isinstance(constant.value, timedelta) or bool(BOUND.fullmatch(constant.name))


def shown(constant: Constant) -> str:
    """Its value, with a unit where it has one."""
    value = constant.value
    if isinstance(value, timedelta):
        return _time(value.total_seconds())
    if "_SECONDS" in constant.name:
        return _time(value)
    if "_BYTES" in constant.name:
        power = max(p for p in (0, 10, 20) if value % 2**p == 0)
        return f"{value // 2**power:,} {({0: 'bytes', 10: 'KiB', 20: 'MiB'})[power]}"
    return f"{value:,.0f}"


def _time(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"


def settings() -> Iterator[tuple[str, str, str]]:
    """What a person sets: where, its default, and what it is."""
    for kind, name in CRDS.items():
        crd = yaml.safe_load((ROOT / "manifests" / "crd" / f"{name}.yaml").read_text())
        schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        for path, field in _durations(schema["properties"]["spec"], "spec"):
            yield f"{kind}: `{path}`", field["default"], field["description"].strip()
    tree = ast.parse((PACKAGE / "config.py").read_text())
    (body,) = [n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Config"]
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            default = _number_of(field)
            variables, _, meaning = " ".join(ast.literal_eval(text.value).split()).partition(": ")
            if default:
                named = re.sub(r"\w+", r"`\g<0>`", variables)
                yield named, default, meaning.partition(" Default")[0]


def _durations(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in schema.get("properties", {}).items():
        if isinstance(field.get("default"), str) and re.fullmatch(DURATION, field["default"]):
            yield f"{path}.{name}", field
        yield from _durations(field, f"{path}.{name}")


def _number_of(field: ast.AnnAssign) -> str:
    """The default of a setting that is a number, but for ports; of the Lease's times each."""
    name = ast.unparse(field.target)
    if name == "timing":
        return ", ".join(f"{seconds:g}" for seconds in astuple(Timing()))
    if ast.unparse(field.annotation) in {"int", "float"} and not name.endswith("_port"):
        return f"{getattr(Config, name):g}"
    return ""


def tables() -> str:
    """The generated part of the page."""
    rows = [f"| {where} | {default} | {what} |" for where, default, what in settings()]
    parts = ["## What you set", "\n".join(("| setting | default | |", "|---|---|---|", *rows))]
    parts.append("## What is fixed")
    for room, of_room in groupby(filter(is_bound, constants()), key=lambda each: each.room):
        rows = [
            f"| {shown(each)} | {each.bounds} | `{each.name}` in `{each.module.name}` |"
            for each in of_room
        ]
        table = "\n".join(("| value | | constant |", "|---|---|---|", *rows))
        parts += [f"### {room}", table]
    return "\n\n".join(parts)


def test_the_page_has_every_constant_and_no_other_as_the_code_has_it():
    text = TABLES.sub(lambda match: f"{match[1]}\n{tables()}\n\n{match[2]}", PAGE.read_text())
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(text)
    assert PAGE.read_text() == text


def test_every_constant_says_what_it_bounds():
    assert [f"{c.module}: {c.name}" for c in constants() if is_bound(c) and not c.bounds] == []


def test_what_is_told_of_in_seconds_or_bytes_has_that_in_its_name():
    units = re.compile(r"\b(seconds?|minutes?|bytes)\b")
    others = [each for each in constants() if not is_bound(each)]
    assert [f"{each.module}: {each.name}" for each in others if units.search(each.bounds)] == []
