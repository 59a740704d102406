"""`--gate` and `--gates`: gates as one types them, and as spec.gates has them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import BadParameter

from pennant_registry.errors import InvalidGateError

if TYPE_CHECKING:
    from pennant_registry.gates import Gates

GateOption = Annotated[
    list[str] | None,
    typer.Option(
        "--gate",
        metavar="METRIC>=NUMBER",
        help="A bound of a metric, in quotes: 'ndcg_at_10>=0.30', 'latency_ms<=20'; repeatable.",
    ),
]
GatesOption = Annotated[
    Path | None,
    typer.Option(
        "--gates",
        metavar="FILE",
        help="Gates in YAML: what spec.gates of a ModelDeployment holds, or a whole one.",
    ),
]
_BOUND = re.compile(r"(?P<name>.*[^<>=\s])\s*(?P<side>>=|<=)\s*(?P<number>\S+)")
_SIDES = {">=": "min", "<=": "max"}


def gates_of(bounds: Sequence[str] | None, file: Path | None) -> Gates:
    """All of them. Raises BadParameter."""
    spec = _read(file) if file is not None else {}
    typed = [_metric(text) for text in bounds or ()]
    _parsed(spec, str(file))  # before it is known that its metrics are a list
    return _parsed({**spec, "metrics": [*(spec.get("metrics") or ()), *typed]}, "gates")


def _parsed(spec: Mapping[str, Any], where: str) -> Gates:
    from pennant_registry.gates import parse

    try:
        return parse(spec, where)
    except InvalidGateError as error:
        raise BadParameter(str(error)) from error


def _metric(text: str) -> dict[str, str]:
    match = _BOUND.fullmatch(text.strip())
    if match is None:
        raise BadParameter(
            f"{text!r} is no bound: write METRIC>=NUMBER or METRIC<=NUMBER in quotes, such as "
            "'ndcg_at_10>=0.30'; other gates are for --gates FILE",
            param_hint="--gate",
        )
    return {"name": match["name"], _SIDES[match["side"]]: match["number"]}


def _read(file: Path) -> Mapping[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise BadParameter(f"{file} cannot be read: {why}", param_hint="--gates") from error
    if isinstance(content, dict) and content.get("kind") == "ModelDeployment":
        spec = content.get("spec") or {}
        content = (spec.get("gates") or {}) if isinstance(spec, dict) else spec
    if not isinstance(content, dict):
        raise BadParameter(
            f"{file} holds no mapping: write metrics, tags, flavors, signature or closed, as in "
            "spec.gates",
            param_hint="--gates",
        )
    return content
