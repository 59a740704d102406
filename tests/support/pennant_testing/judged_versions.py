"""Versions to be judged by gates: their metrics and bundles, and what the gates make of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pennant_registry.gates import BundleFacts, GateResult, VersionFacts, evaluate, parse

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)  # a Friday


def column(name: str | None, kind: str = "double", **more: Any) -> dict[str, Any]:
    """An input of a signature; without a name it goes by its position."""
    return {"type": kind, "required": True} | ({"name": name} if name else {}) | more


COLUMNS = (column("age", "long"), column("city", "string"))


def tensor(*shape: int, dtype: str = "float32", name: str | None = None) -> dict[str, Any]:
    """An input of a signature that is an array."""
    spec = {"dtype": dtype, "shape": list(shape)}
    return {"type": "tensor", "tensor-spec": spec} | ({"name": name} if name else {})


def takes(*inputs: dict[str, Any], params: list[dict[str, Any]] | None = None) -> BundleFacts:
    """A scikit-learn bundle with a signature of these inputs."""
    signature: dict[str, Any] = {"inputs": list(inputs)}
    return BundleFacts(("sklearn",), signature | ({"params": params} if params else {}))


def facts(version: str = "7", *, bundle: BundleFacts | str = "", **metrics: float) -> VersionFacts:
    """A version with two tags, one of them empty."""
    return VersionFacts(version, metrics, {"approved": "true", "note": ""}, bundle)


def results_of(
    spec: dict[str, Any],
    version: VersionFacts,
    serving: VersionFacts | None = None,
    now: datetime = NOON,
) -> tuple[GateResult, ...]:
    """What gates as they are written say of a version, in order."""
    return evaluate(parse(spec), version, serving, now)
